"""The tables of the study file, as a list of migrations that run once each, in order, in one transaction."""

import sqlite3

from workbench.errors import UserError

MIGRATIONS = [
    """
    CREATE TABLE attempt (
        id INTEGER PRIMARY KEY,
        item TEXT NOT NULL,
        seed INTEGER NOT NULL,
        topic TEXT NOT NULL,
        answers TEXT NOT NULL,
        mark TEXT NOT NULL,
        score REAL NOT NULL,
        mistakes TEXT NOT NULL,
        hinted INTEGER NOT NULL,
        seconds REAL NOT NULL,
        at TEXT NOT NULL,
        rating INTEGER
    );
    CREATE INDEX attempt_by_item ON attempt (item, at);
    CREATE TABLE item (
        item TEXT PRIMARY KEY,
        topic TEXT NOT NULL,
        memory TEXT NOT NULL,
        due TEXT NOT NULL,
        reviewed TEXT NOT NULL
    );
    """,
]


def migrate(connection: sqlite3.Connection) -> None:
    """Run the migrations that the file has not had yet.

    Raises:
        UserError: If a newer workbench wrote the file.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise UserError(
            "The study file was written by a newer workbench. Update this one, or set WORKBENCH_HOME to another folder."
        )
    if version == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")  # if two processes start at once, the second waits, then has nothing to do
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            for statement in filter(str.strip, script.split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
