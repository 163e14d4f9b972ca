"""The git host: a bare repository with the example in it, a second mirror, and smart HTTP.

"Down" means that the folder has another name and HTTP answers 503, as a dead git host would look.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote

from .httpserver import Handler, Server

IDENTITY = {"GIT_AUTHOR_NAME": "Sandbox", "GIT_AUTHOR_EMAIL": "sandbox@example.com",
            "GIT_COMMITTER_NAME": "Sandbox", "GIT_COMMITTER_EMAIL": "sandbox@example.com",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0"}
EXCLUDED = (".terraform", "*.tfstate", "*.tfstate.*", "*.tfplan")


def git(*arguments: str, folder: Path) -> str:
    """Runs git without the user's own configuration; raises CalledProcessError."""
    done = subprocess.run(["git", *arguments], cwd=folder, env=os.environ | IDENTITY, check=True,
                          capture_output=True, text=True)
    return done.stdout.strip()


def create(folder: Path, source: Path | None) -> None:
    """Makes primary.git and mirror.git in `folder` from the files of `source`."""
    folder.mkdir(parents=True)
    seed = folder / "seed"
    if source and source.is_dir():
        shutil.copytree(source, seed, ignore=shutil.ignore_patterns(*EXCLUDED))
    else:
        seed.mkdir()
        (seed / "README.md").write_text("# Nothing here yet\n")
    git("init", "-q", "-b", "main", folder=seed)
    git("add", "-A", folder=seed)
    git("commit", "-q", "-m", "Infrastructure of maestrohwithit", folder=seed)
    for name in ("primary.git", "mirror.git"):
        git("clone", "-q", "--bare", str(seed), name, folder=folder)
        git("config", "http.receivepack", "true", folder=folder / name)
        git("config", "remote.origin.url", str(folder / name), folder=folder / name)
    shutil.rmtree(seed)


class GitHost:
    """Serves the repositories below `folder` by `git http-backend`; takes them down and up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        host = self

        class GitHandler(_Handler):
            owner = host

        self.server = Server(("127.0.0.1", 0), GitHandler)

    def urls(self) -> dict[str, str]:
        names = ("primary", "mirror")
        return {name: (self.folder / f"{name}.git").as_uri() for name in names} | {
            f"{name}_http": f"http://127.0.0.1:{self.server.server_port}/{name}.git"
            for name in names}

    def down(self, name: str = "primary") -> None:
        path = self.folder / f"{name}.git"
        if path.is_dir():
            path.rename(path.with_suffix(".git.down"))

    def up(self, name: str = "primary") -> None:
        path = self.folder / f"{name}.git.down"
        if path.is_dir():
            path.rename(self.folder / f"{name}.git")

    def is_up(self, name: str) -> bool:
        return (self.folder / f"{name}.git").is_dir()


class _Handler(Handler):
    owner: GitHost

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        path = unquote(path)
        name = path.lstrip("/").partition("/")[0].removesuffix(".git")
        with self.read_body() as body:
            if ".." in path or not self.owner.is_up(name):
                self.answer(503, b"the git host is down\n")
                return
            environment = os.environ | IDENTITY | {
                "GIT_PROJECT_ROOT": str(self.owner.folder), "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""), "REMOTE_USER": "sandbox",
                "REMOTE_ADDR": "127.0.0.1",
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", "")}
            done = subprocess.run(["git", "http-backend"], input=body.read(), env=environment,
                                  capture_output=True, check=False)
        self._cgi(done.stdout)

    do_POST = do_GET

    def _cgi(self, output: bytes) -> None:
        head, _, body = output.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        status = int(headers.pop("Status", "200").split()[0]) if headers else 500
        self.answer(status, body, headers)
