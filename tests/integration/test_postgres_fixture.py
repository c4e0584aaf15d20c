"""The private PostgreSQL server that other tests build on."""

from __future__ import annotations

from sqlalchemy import create_engine, text

from tests.support.postgres import PrivatePostgres


def test_a_committed_row_survives_the_death_of_the_server(postgres_server: PrivatePostgres) -> None:
    engine = create_engine(postgres_server.url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE words (word text)"))
        connection.execute(text("INSERT INTO words VALUES ('здравей')"))

    postgres_server.kill()
    postgres_server.start()

    engine.dispose()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT word FROM words")).scalar_one() == "здравей"
    engine.dispose()


def test_a_test_database_is_empty_and_uses_utf8_and_durable_commits(postgres_database: str) -> None:
    engine = create_engine(postgres_database)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")).scalar_one() == 0
        assert connection.execute(text("SHOW server_encoding")).scalar_one() == "UTF8"
        assert connection.execute(text("SHOW fsync")).scalar_one() == "on"
    engine.dispose()
