"""The settings of a test run, as environment variables."""


def test_environment(database: str, redis: str) -> dict[str, str]:
    """Settings of a test run: nothing of the shell's own installation gets in."""
    return {
        "DEBUG": "false",
        "SECRET_KEY": "test-secret-key-that-is-long-enough-for-django-to-be-content-with",
        "LINK_KEYS": "test-link-key-that-is-long-enough-for-the-check",
        "ADDRESS_KEY": "test-address-key-that-is-long-enough-for-the-check",
        "SITE_URL": "https://papers.example.org",
        "POSTAL_ADDRESS": "Daily Papers, 1 Example Street, 12345 Example City",
        "FROM_EMAIL": "Daily Papers <papers@example.org>",
        "MAIL_URL": "memory:",
        "DATABASE_URL": database,
        "REDIS_URL": redis,
        "SOURCES": "huggingface",
        "FILL_IN": "false",
        "FORM_MIN_SECONDS": "0",
    }
