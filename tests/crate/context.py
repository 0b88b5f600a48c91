"""Puts RO-Crate 1.1's JSON-LD context, as the package `rocrate` ships it, into a cache of the validator.

So the validator runs offline. Usage: context.py CACHE
"""

import importlib.resources
import io
import json
import sys

import requests
import urllib3
from requests_cache import CachedSession

CONTEXT = "https://w3id.org/ro/crate/1.1/context"


class Shipped(requests.adapters.HTTPAdapter):
    """Answers every request with the shipped context."""

    def send(self, request, **_):
        text = importlib.resources.files("rocrate").joinpath("data/ro-crate.jsonld").read_bytes()
        if json.loads(text)["@id"] != CONTEXT:
            sys.exit(f"this version of rocrate does not ship {CONTEXT}")
        answer = urllib3.HTTPResponse(
            body=io.BytesIO(text),
            headers={"Content-Type": "application/ld+json"},
            status=200,
            preload_content=False,
            request_url=request.url,
        )
        return self.build_response(request, answer)


session = CachedSession(cache_name=sys.argv[1], backend="sqlite", expire_after=-1)
session.mount("https://", Shipped())
session.get(CONTEXT, headers={"Accept": "application/ld+json, application/json"}).raise_for_status()
