"""Serves moto with the extension on a free port of this machine.

The first line on standard output is JSON: the port, and what answers for each
CloudFormation type ("moto", "extension" or "stub"). The server ends when its
standard input does, so it never outlives the test that started it.
"""

import json
import logging
import os
import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from moto_padron import engine, model


def main() -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    types = model.register()
    engine.repair()
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, application, threaded=True)
    os.environ["MOTO_PORT"] = str(server.port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.port, "types": types}), flush=True)
    sys.stdin.read()


main()
