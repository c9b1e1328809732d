# SPDX-License-Identifier: Apache-2.0
# Prints a token of the user's, from Keystone on loopback.
import json
import urllib.request

user = {"name": "builder", "domain": {"id": "default"}, "password": "secret-of-builder"}
scope = {"project": {"name": "hpc", "domain": {"id": "default"}}}
body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
request = urllib.request.Request("http://127.0.0.1:5000/v3/auth/tokens", json.dumps(body).encode(), {"Content-Type": "application/json"})
print(urllib.request.urlopen(request, timeout=60).headers["X-Subject-Token"])
