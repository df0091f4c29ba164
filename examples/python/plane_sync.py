"""Tells Plane, by plane-sync, what happens to an orchestrator's tasks. It needs only the standard library.

No function blocks, raises, or returns anything: a thread posts what they are told. What plane-sync has answered
with 202 is on its disk. Until then an event is kept here, up to 1,000 of them, and is lost with this process.
"""
import atexit
import json
import logging
import os
import queue
import threading
import time
import urllib.error
import urllib.request
import uuid

URL = os.environ.get("PLANE_SYNC_URL", "http://127.0.0.1:8500")
TOKEN = os.environ.get("ORCH_API_TOKEN", "")
log = logging.getLogger("plane_sync")
_waiting = queue.Queue(maxsize=1000)


def stage_changed(work_item, old_stage, new_stage, agent=None):
    _tell({"type": "stage_changed", "workItem": work_item, "from": old_stage, "to": new_stage, "agent": agent})


def gate_failed(work_item, stage, check, reason):
    _tell({"type": "quality_gate_failed", "workItem": work_item, "stage": stage, "check": check, "reason": reason})
