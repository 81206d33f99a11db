"""Sessions kept in files, so that HTTP requests and Socket.IO events share one."""

import json
import os
import re
import uuid
from pathlib import Path

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SessionInterface

COOKIE = "classroom"


class StoredSession(SecureCookieSession):
    key = ""


class FileSessions(SessionInterface):
    """One JSON file for each session; the cookie holds only the file's name."""

    session_class = StoredSession

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def open_session(self, app: Flask, request: Request) -> StoredSession:
        key = request.cookies.get(COOKIE, "")
        known = re.fullmatch("[0-9a-f]{32}", key) and (self.folder / key).is_file()
        session = StoredSession(json.loads((self.folder / key).read_text()) if known else {})
        session.key = key if known else uuid.uuid4().hex
        return session

    def save_session(self, app: Flask, session: StoredSession, response: Response) -> None:
        if not session.modified:
            return
        # Renamed into place: a reader in another process never meets half a file.
        draft = self.folder / f"{session.key}.{os.getpid()}.{uuid.uuid4().hex}"
        draft.write_text(json.dumps(dict(session)))
        draft.rename(self.folder / session.key)
        response.set_cookie(COOKIE, session.key, httponly=True, samesite="Lax")
