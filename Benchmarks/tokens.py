"""Compares the sidecar's count_tokens with real tokenizers, kind of text by kind of text.

The upstream here counts with the tokenizer and says so in its usage, and the sidecar learns the
ratio: for one model that gets all kinds ("mixed"), and for a model of each kind ("own"). It learns
from other texts than those that are shown. A model that gets one kind must be within 15 %.
"""

import glob
import http.server
import json
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

import tiktoken

ROOT = pathlib.Path(__file__).parent.parent
FIXTURES = ROOT / "Tests/EndToEnd/fixtures"
LIMIT = 0.15
CHINESE = """人工智能正在改变软件开发的方式。过去，程序员需要手工编写每一行代码；现在，他们可以用自然语言描述\
需求，由模型生成初稿，再由人来审查和修改。这样做的好处是速度快，坏处是错误往往藏在看似合理的细节里。
请检查配置文件中的数据库连接字符串，确认主机名、端口和密码都正确，然后重新启动服务。如果仍然无法连接，请查看日志中\
最近的错误信息，并把完整的堆栈跟踪发给我们。
北京的秋天天高气爽，是一年中最适合出游的季节。香山的红叶、故宫的红墙、胡同里的老槐树，都让人流连忘返。
函数接受一个字符串参数，返回解析后的对象；当输入为空或格式不正确时抛出异常。调用者应当捕获该异常并给用户提示。
昨天夜里机房突然断电，备用电源只坚持了二十分钟，三台服务器没有来得及写完日志就关机了。
今天早上值班的同事发现索引损坏，花了两个小时才从备份恢复，好在没有丢失客户的订单。
为了避免同样的事情再次发生，我们决定每小时做一次增量备份，并且把恢复的步骤写成脚本，每个月演练一次。
这份合同一共十二页，第三条规定付款期限为三十天，逾期每天加收万分之五的滞纳金。
奶奶常说，做菜和做人一样，火候最要紧；急了会焦，慢了会烂，只有耐心等待才能尝到真正的味道。
春天的时候，村口那棵老梨树开满了白花，孩子们在树下追逐，笑声一直传到河对岸。
如果请求超过限制，网关会返回状态码四二九，并在响应头里说明还要等待多少秒；客户端不应立即重试。
测试用例要覆盖空列表、重复的键、超长的字符串以及网络中断等情况，每个用例只检查一种行为。
"""


def words(*patterns, limit=60_000):
    paths = sorted(path for pattern in patterns for path in glob.glob(str(ROOT / pattern)))
    return "\n".join(pathlib.Path(path).read_text() for path in paths)[:limit]


def ask(text):
    return {"model": "m", "max_tokens": 16, "messages": [{"role": "user", "content": text}]}


def halves(text):
    """A request to learn from, and one of the same kind to be measured with."""
    middle = text.index("\n", len(text) // 2)
    return ask(text[:middle]), ask(text[middle:])


def recorded(name):
    body = json.loads((FIXTURES / f"{name}.json").read_text())
    body = body.get("body", body)
    return {**body, "model": "m", "max_tokens": 16, "stream": False}


KINDS = {
    "English": halves(words("README.md", "CONTRIBUTING.md", "docs/*.md")),
    "Swift": halves(words("Sources/Translation/Stream/*.swift")),
    "Python": halves(words("Tests/EndToEnd/*.py")),
    "Chinese": halves(CHINESE),
    "JSON": halves(words("Tests/TranslationTests/Fixtures/*/*/*.json")),
    "log lines": halves("\n".join(
        json.dumps({"time": f"2026-11-25T17:{i % 60:02}:00.{i:03}Z", "level": "info", "status": 200,
                    "request_id": f"req_{i ** 5:024}", "seconds": i / 77}) for i in range(300))),
    "tools": (recorded("followup_thinking"), recorded("first_turn")),
    "tool results": (recorded("followup_tool_result"), recorded("parallel_tool_results")),
    "loaded tools": (recorded("multi_turn_system_last"), recorded("toolsearch_used")),
}


def rendered(request):
    """The text of a Chat Completions request as chat templates put it, and its framing."""
    texts, framing = [], 3
    for message in request["messages"]:
        framing += 4
        content = message.get("content") or ""
        if isinstance(content, list):
            content = "\n".join(part.get("text", "") for part in content)
        texts.append(content)
        for call in message.get("tool_calls", []):
            texts.append(call["function"]["name"] + " " + call["function"]["arguments"])
    for tool in request.get("tools", []):
        framing += 8
        texts.append(json.dumps(tool["function"], ensure_ascii=False, separators=(",", ":")))
    return texts, framing


class Gemma:
    """The tokenizer of a Gemma, in llama.cpp's server."""

    def __init__(self):
        script = ROOT / "Tests/EndToEnd/llamacpp.py"
        self.process = subprocess.Popen(
            [os.environ["MODEL_PYTHON"], str(script), os.environ["MODEL_FOLDER"]],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.address = self.process.stdout.readline().strip()
        if not self.address:
            sys.exit("the model server did not start")

    def encode(self, text, **_):
        return send(self.address + "/tokenize", json.dumps({"content": text}).encode())["tokens"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)


class Model(http.server.BaseHTTPRequestHandler):
    """A model that reads, counts and says nothing."""
    protocol_version = "HTTP/1.1"
    encoding = None
    counts = []

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        texts, framing = rendered(request)
        count = framing + sum(
            len(self.encoding.encode(text, disallowed_special=())) for text in texts)
        self.counts.append(count)
        body = json.dumps({
            "choices": [{"index": 0, "message": {"content": "ok"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": count, "completion_tokens": 1}}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def send(url, data):
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def post(url, body, model="mixed"):
    return send(url, json.dumps({**body, "model": model}, ensure_ascii=False).encode())


def start(port):
    """A sidecar in front of the model; the process and its address."""
    process = subprocess.Popen(
        [os.environ["CLAUDE_SIDECAR"]], stderr=subprocess.PIPE, text=True,
        env={"PATH": os.environ["PATH"], "PORT": "0",
             "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1", "OPENAI_API_KEY": "k"})
    for line in process.stderr:
        if '"listening"' in line:
            address = json.loads(line)["address"]
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return process, f"http://{address}"
    sys.exit("the sidecar did not start")


def measure(name, encoding, port):
    """Prints the table for one tokenizer; the largest error after calibration."""
    Model.encoding = encoding
    process, url = start(port)
    count = url + "/v1/messages/count_tokens"
    try:
        told = lambda kind, model: post(count, KINDS[kind][1], model)["input_tokens"]
        first = {kind: told(kind, "mixed") for kind in KINDS}
        actual, errors = {}, []
        for _ in range(8):
            for kind, (lesson, _) in KINDS.items():
                for model in ("mixed", kind):
                    post(url + "/v1/messages", lesson, model)
        for kind, (_, test) in KINDS.items():
            post(url + "/v1/messages", test, "other")
            actual[kind] = Model.counts[-1]
        print(f"\n{name:14} {'tokens':>8} {'at first':>9} {'mixed':>8} {'own':>8}")
        for kind, tokens in actual.items():
            off = [first[kind], told(kind, "mixed"), told(kind, kind)]
            off = [estimate / tokens - 1 for estimate in off]
            errors.append(abs(off[2]))
            print(f"{kind:14} {tokens:8} {off[0]:+9.1%} {off[1]:+8.1%} {off[2]:+8.1%}")
        big = json.dumps(ask(words("Sources/*/*/*.swift", "Sources/*/*.swift", limit=300_000)))
        times = []
        for _ in range(50):
            begin = time.perf_counter()
            send(count, big.encode())
            times.append(time.perf_counter() - begin)
        print(f"300 KB are answered in {min(times) * 1e3:.2f} ms at best, "
              f"{statistics.median(times) * 1e3:.2f} ms in the middle, the client's work included")
        return max(errors)
    finally:
        process.terminate()
        process.wait()


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    encodings = {name: tiktoken.get_encoding(name) for name in ("o200k_base", "cl100k_base")}
    gemma = Gemma() if "MODEL_PYTHON" in os.environ else None
    if gemma:
        encodings["Gemma 3"] = gemma
    worst = max(measure(name, encoding, server.server_port) for name, encoding in encodings.items())
    if gemma:
        gemma.close()
    server.shutdown()
    print(f"\nworst of a kind on its own: {worst:.1%}")
    sys.exit(worst > LIMIT)


if __name__ == "__main__":
    main()
