"""Tells plane-sync what happens to tasks, from an orchestrator in Python. It needs only the standard library.

No call blocks, raises or returns anything: a thread posts one thing after the other, and repeats what was not
taken. Up to 1,000 wait here, and are lost with this process; what plane-sync has taken is on its disk.
"""
import atexit, json, logging, os, queue, threading, time, urllib.parse, urllib.request, uuid

URL = os.environ.get("PLANE_SYNC_URL", "http://127.0.0.1:8500")
TOKEN = "".join(os.environ.get("ORCH_API_TOKEN", "").split())
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer " + TOKEN}
log = logging.getLogger("plane_sync")
_opener = urllib.request.OpenerDirector()  # No proxy, and no redirect: the token goes nowhere else.
_opener.add_handler(urllib.request.HTTPHandler())
_opener.add_handler(urllib.request.HTTPSHandler())
_waiting, _lock, _threads = queue.Queue(maxsize=1000), threading.Lock(), []

def stage_changed(work_item, old_stage, new_stage, agent=None):
    _tell("/api/events", type="stage_changed", workItem=work_item, **{"from": old_stage}, to=new_stage, agent=agent)

def gate_failed(work_item, stage, check, reason):
    _tell("/api/events", type="quality_gate_failed", workItem=work_item, stage=stage, check=check, reason=reason)

def task_completed(work_item):
    _tell("/api/events", type="task_completed", workItem=work_item)

def question_asked(work_item, question, agent=None):
    _tell("/api/events", type="question_asked", workItem=work_item, question=question, agent=agent)

def start_task(work_item, agent=None):
    _tell("/api/tasks", workItem=work_item, agent=agent)

def report_stage(work_item, stage, passed, reason=None, usage=None, links=None):
    _tell("/api/tasks/%s/report", work_item, stage=stage, outcome=passed, reason=reason, usage=usage, links=links)

def _tell(path, *parts, **body):
    try:
        path %= tuple(urllib.parse.quote(str(part), safe="", errors="replace") for part in parts)
        if "outcome" in body: body["outcome"] = "passed" if body["outcome"] else "failed"
        if path != "/api/tasks": body["id"] = str(uuid.uuid4())  # So a repetition is neither told nor counted twice.
        if path == "/api/events": body["occurredAt"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        told = {name: value for name, value in body.items() if value is not None}
        _waiting.put_nowait((path, json.dumps(told, default=str).encode()))
        with _lock:
            if not any(thread.is_alive() for thread in _threads):  # None is alive after a fork, either.
                _threads[:] = [threading.Thread(target=_post_all, daemon=True, name="plane-sync")]
                _threads[0].start()
    except Exception as problem:
        log.error("Not told to plane-sync: %s %r (%r)", path, body, problem)

def _post_all():
    while True:
        (path, body), delay = _waiting.get(), 0.5
        while not _is_posted(path, body):
            time.sleep(delay)
            delay = min(delay * 2, 30)
        _waiting.task_done()

def _is_posted(path, body):
    try:
        with _opener.open(urllib.request.Request(URL + path, body, HEADERS), timeout=5) as answer:
            if answer.status < 300: return True
            log.error("plane-sync answered %s: %s", answer.status, answer.read(1000).decode(errors="replace"))
            # What is wrong in a request stays wrong. A token or an address may be set right.
            return 400 <= answer.status < 500 and answer.status not in (401, 403, 408, 429)
    except Exception as problem:
        log.warning("plane-sync is asked again: %s: %s", type(problem).__name__, problem)
        return False

@atexit.register
def _end():  # A script that ends at once gives its last calls two seconds.
    until = time.monotonic() + 2
    while _waiting.unfinished_tasks and time.monotonic() < until: time.sleep(0.05)
