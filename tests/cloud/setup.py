# SPDX-License-Identifier: Apache-2.0
# Fills /work with a cloud that serve.py serves: databases, keys, one project with one user, certificates.
# Runs inside the root that tests/lab/artefact makes, without any network.
import glob
import os
import shutil
import sqlite3
import subprocess
import sys
import traceback

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def run(*argv):
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


def make_bundle():
    """What the script of ca-certificates would have made."""
    os.makedirs(os.path.dirname(BUNDLE), exist_ok=True)
    with open(BUNDLE, "w") as out:
        for path in sorted(glob.glob("/usr/share/ca-certificates/mozilla/*.crt")):
            with open(path) as f:
                out.write(f.read())


def make_databases():
    shutil.copy("/usr/share/glance-common/schema-image.json", "/work")
    keystone = ("keystone-manage", "--config-file", "/work/keystone.conf")
    for name in ("fernet", "credential", "images", "tasks", "staging"):
        os.makedirs(f"/work/{name}", mode=0o700)
    run(*keystone, "db_sync")
    for what in ("fernet", "credential"):
        run(*keystone, f"{what}_setup", "--keystone-user", "root", "--keystone-group", "root")
    run(*keystone, "bootstrap", "--bootstrap-password", "secret-of-admin", "--bootstrap-region-id", "RegionOne",
        "--bootstrap-public-url", "http://127.0.0.1:5000/v3")
    run("glance-manage", "--config-file", "/work/glance-api.conf", "db_sync")
    # Else who reads locks out who writes.
    for name in ("keystone", "glance"):
        sqlite3.connect(f"/work/{name}.db").execute("pragma journal_mode = wal")


class Keystone:
    """Its API, called in this process."""

    def __init__(self):
        os.environ["OS_KEYSTONE_CONFIG_DIR"] = "/work"
        from keystone.server.wsgi import initialize_public_application
        self.app = initialize_public_application()
        self.token = None
        user = {"name": "admin", "domain": {"id": "default"}, "password": "secret-of-admin"}
        self.token = self.login(user, {"name": "admin", "domain": {"id": "default"}})

    def call(self, method, path, body=None):
        from webob import Request
        request = Request.blank("/v3" + path, method=method)
        if self.token:
            request.headers["X-Auth-Token"] = self.token
        if body is not None:
            request.json_body = body
        answer = request.get_response(self.app)
        if answer.status_int >= 300:
            raise SystemExit(f"{method} {path}: {answer.status}: {answer.text}")
        return answer

    def login(self, user, project):
        identity = {"methods": ["password"], "password": {"user": user}}
        body = {"auth": {"identity": identity, "scope": {"project": project}}}
        return self.call("POST", "/auth/tokens", body).headers["X-Subject-Token"]

    def make(self, what, **members):
        kind = what.split("/")[-1].rstrip("s")
        return self.call("POST", f"/{what}", {kind: members}).json[kind]["id"]

    def role(self, name):
        return self.call("GET", f"/roles?name={name}").json["roles"][0]["id"]

    def user(self, name, project, role):
        project = self.make("projects", name=project, domain_id="default")
        user = self.make("users", name=name, domain_id="default", password=f"secret-of-{name}")
        self.call("PUT", f"/projects/{project}/users/{user}/roles/{self.role(role)}")
        return user, project


def make_cloud():
    k = Keystone()
    k.user("glance", "service", "admin")
    user, project = k.user("builder", "hpc", "member")
    k.make("regions", id="RegionTwo")
    service = k.make("services", type="image", name="glance")
    for region, interface, port in (("RegionOne", "public", 9292), ("RegionTwo", "public", 9), ("RegionOne", "internal", 9393)):
        k.make("endpoints", service_id=service, region_id=region, interface=interface, url=f"http://127.0.0.1:{port}")
    k.token = k.login({"id": user, "password": "secret-of-builder"}, {"id": project})
    credential = k.make(f"users/{user}/application_credentials", name="robot", secret="secret-of-robot")
    with open("/work/credential.id", "w") as f:
        f.write(credential)


def make_certificates():
    for name in ("authority", "stranger"):
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650",
            "-subj", f"/CN={name}", "-keyout", f"/work/{name}.key", "-out", f"/work/{name}.pem")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650",
        "-subj", "/CN=glance", "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE",
        "-CA", "/work/authority.pem", "-CAkey", "/work/authority.key", "-keyout", "/work/glance.key", "-out", "/work/glance.pem")


os.umask(0o077)
try:
    make_bundle()
    make_databases()
    make_cloud()
    make_certificates()
except (Exception, SystemExit):
    # Keystone has put hooks of its own where errors would be shown.
    traceback.print_exc(file=sys.__stderr__)
    os._exit(1)
