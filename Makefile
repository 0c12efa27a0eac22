PY := .venv/bin/python
.PHONY: setup lab test bench lock wheel

lock:  ## rewrite requirements.lock from pyproject.toml
	.venv/bin/pip-compile -q --strip-extras --extra cluster --extra dev --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-emit-trusted-host --allow-unsafe -o requirements.lock pyproject.toml
