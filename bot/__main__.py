"""The `kefu` command."""

from bot.cli.main import kefu


def main() -> None:
    kefu(prog_name="kefu")


if __name__ == "__main__":
    main()
