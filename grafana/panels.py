"""What the dashboards show; generate.py makes Grafana's JSON of it.

In a query, @ stands for the filter by namespace and pod, and @m for that and the model. A panel's
number is its place below: append, or the links of alerts (alerts/rules.yaml) point elsewhere.
"""

from dashboard import Dashboard, Panel

RATE = "[$__rate_interval]"


def quantiles(metric, by="", share=(0.5, 0.95, 0.99), label="@m"):
    """Queries for quantiles of a histogram, for each value of a label."""
    legend = f"{{{{{by}}}}} " if by else ""
    grouping = f"le, {by}" if by else "le"
    return [(f"histogram_quantile({q}, sum by ({grouping}) (rate({metric}_bucket{{{label}}}{RATE})))",
             f"{legend}p{round(q * 100)}") for q in share]


def rate(metric, by="", label="@"):
    """A query for the rate of a counter, for each value of a label."""
    grouping = f" by ({by})" if by else ""
    return [(f"sum{grouping} (rate({metric}{{{label}}}{RATE}))",
             f"{{{{{by}}}}}" if by else "all")]


FAILED = [(
    f'(sum(rate(claude_sidecar_requests_total{{@,route="messages",code=~"5.."}}{RATE})) or vector(0))'
    f' / sum(rate(claude_sidecar_requests_total{{@,route="messages"}}{RATE}))', "answered with 5xx"), (
    'sum(rate(claude_sidecar_stream_outcomes_total{@,outcome=~"error_event|upstream_cut|idle_timeout"}'
    f'{RATE})) / sum(rate(claude_sidecar_requests_total{{@,route="messages"}}{RATE}))',
    "broken streams")]

OVERVIEW = Dashboard("claude-sidecar-overview", "Claude sidecar: overview", "What clients get.", [
    Panel("Sidecars", "stat", "short", [("count(claude_sidecar_build_info{@})", "")],
          "Processes that Prometheus reaches.", width=4),
    Panel("Requests a second", "stat", "reqps", rate("claude_sidecar_requests_total"),
          "Everything asked of the sidecars, probes and scrapes excepted.", width=4),
    Panel("Failed", "stat", "percentunit", [(f"({FAILED[0][0]}) + ({FAILED[1][0]})", "")],
          "Share of the requests for messages that a client saw fail.", width=4,
          thresholds=[0.01, 0.05]),
    Panel("Streams running", "stat", "short", [("sum(claude_sidecar_streams_in_flight{@})", "")],
          "Streams being relayed now.", width=4),
    Panel("Tokens a second", "stat", "short",
          rate("claude_sidecar_tokens_total", label='@m,type="output"'),
          "Tokens that the models put out.", width=4),
    Panel("Stopping", "stat", "short", [("sum(claude_sidecar_draining{@})", "")],
          "Sidecars that let what runs finish and take nothing new.", width=4, thresholds=[1]),
    Panel("Requests", "timeseries", "reqps", rate("claude_sidecar_requests_total", "code", "@m"),
          "By the status that the client got."),
    Panel("Requests by route", "timeseries", "reqps",
          rate("claude_sidecar_requests_total", "route", "@m"),
          "messages is the work; Claude Code asks count_tokens and models too."),
    Panel("Duration", "timeseries", "s",
          quantiles("claude_sidecar_request_duration_seconds", label='@m,route="messages"'),
          "First byte of a request to the last byte of its answer. The model makes most of it."),
    Panel("Requests running", "timeseries", "short",
          [("sum by (route) (claude_sidecar_requests_in_flight{@})", "{{route}}")],
          "Being answered now; MAX_CONCURRENT_REQUESTS bounds it."),
    Panel("Versions", "table", "short",
          [("count by (version, commit, swift, curl) (claude_sidecar_build_info{@})", "")],
          "What is running; more than one line outside of a rollout is a surprise."),
    Panel("Setup", "table", "short",
          [("count by (upstream, protocol, dialect, upstream_auth, client_auth) "
            "(claude_sidecar_config_info{@})", "")], "How the sidecars are set up."),
])

LLM = Dashboard("claude-sidecar-llm", "Claude sidecar: LLM traffic", "What the models do.", [
    Panel("Time to first token", "timeseries", "s",
          quantiles("claude_sidecar_time_to_first_token_seconds", "model", (0.5, 0.95)),
          "Request to the first token of a stream. The alert is at 20 s, when Claude Code shows "
          "its user that nothing comes.", thresholds=[10, 20]),
    Panel("Time per token", "timeseries", "s",
          quantiles("claude_sidecar_time_per_output_token_seconds", "model", (0.5, 0.95)),
          "Mean pause between the tokens of a stream; one divided by it is tokens a second."),
    Panel("Tokens a second by type", "timeseries", "short",
          rate("claude_sidecar_tokens_total", "type", "@m"),
          "input is what no cache held; the three inputs add up."),
    Panel("Output tokens a second by model", "timeseries", "short",
          rate("claude_sidecar_tokens_total", "model", '@m,type="output"'), "What is paid for."),
    Panel("Cache hits", "timeseries", "percentunit", [(
        f'sum(rate(claude_sidecar_tokens_total{{@m,type="cache_read"}}{RATE})) / '
        f'sum(rate(claude_sidecar_tokens_total{{@m,type=~"input|cache_read|cache_creation"}}{RATE}))',
        "of the input")],
        "Share of the input that came out of the upstream's cache. Claude Code sends its whole "
        "history with every request, so a healthy figure is far above one half."),
    Panel("Stable prefixes", "timeseries", "short",
          quantiles("claude_sidecar_prefix_stable_ratio", share=(0.05, 0.5), label="@"),
          "How much of a conversation's last request the next one begins with; below 1 something "
          "changes the history, and the upstream's prefix cache cannot help."),
    Panel("Stop reasons", "timeseries", "short",
          rate("claude_sidecar_stop_reasons_total", "reason", "@m"),
          "max_tokens is an answer that was cut short: see MAX_TOKENS_LIMIT."),
    Panel("Tokens of a request", "timeseries", "short",
          quantiles("claude_sidecar_tokens_per_request", "type", (0.5, 0.95), "@"),
          "Near the model's window the client must compact."),
    Panel("Longest silence in a stream", "timeseries", "s",
          quantiles("claude_sidecar_inter_chunk_max_seconds", label="@"),
          "Pings cover it for the client; UPSTREAM_IDLE_TIMEOUT ends it.", thresholds=[60, 180]),
    Panel("Answers with tool calls", "timeseries", "short",
          rate("claude_sidecar_tool_calls_total", "kind"), "One call, or several at once."),
    Panel("Token counts", "timeseries", "short",
          rate("claude_sidecar_count_tokens_total", "source"),
          "Answers of count_tokens, by where the number came from."),
    Panel("Estimate by truth", "timeseries", "short",
          quantiles("claude_sidecar_token_estimate_ratio", share=(0.05, 0.5, 0.95), label="@"),
          "Estimated input tokens by those that the upstream counted; 1 is exact."),
    Panel("Pings", "timeseries", "short", rate("claude_sidecar_pings_sent_total"),
          "Sent into silent streams, so that nobody on the way takes them for dead."),
])

ERRORS = Dashboard(
    "claude-sidecar-errors", "Claude sidecar: upstream and errors",
    "What goes wrong, and on which side.", [
        Panel("Failed requests", "timeseries", "percentunit", FAILED,
              "Share of the requests for messages. A stream that breaks has had its 200.",
              thresholds=[0.01, 0.05]),
        Panel("Errors by cause", "timeseries", "short",
              rate("claude_sidecar_errors_total", "type"),
              "caller_ is the client's doing, upstream_ the model server's, proxy_ our own."),
        Panel("How streams end", "timeseries", "short",
              rate("claude_sidecar_stream_outcomes_total", "outcome"),
              "Exactly one for each stream. client_disconnect is somebody who pressed escape; "
              "drained is a stream that a stop cut."),
        Panel("What the upstream answers", "timeseries", "short",
              rate("claude_sidecar_upstream_requests_total", "code"), "0 is no answer at all."),
        Panel("Upstream reached", "timeseries", "bool_yes_no",
              [("min by (pod, upstream) (claude_sidecar_upstream_up{@})", "{{pod}} {{upstream}}")],
              "Whether the last attempt got an answer; nothing before the first."),
        Panel("Breakers that are not closed", "timeseries", "short",
              [('sum by (upstream, state) (claude_sidecar_upstream_breaker{@,state!="closed"})',
                "{{upstream}} {{state}}")],
              "Sidecars that leave an upstream alone, or try it with one request."),
        Panel("First byte of the upstream", "timeseries", "s",
              quantiles("claude_sidecar_upstream_first_byte_seconds", "model", (0.5, 0.95)),
              "Sending a request to the head of its answer."),
        Panel("Requests sent again", "timeseries", "short",
              rate("claude_sidecar_upstream_requests_total", "attempt", '@,attempt="retry"')
              + rate("claude_sidecar_upstream_retries_total", "reason"),
              "Second and later attempts, and why."),
        Panel("Connecting", "timeseries", "s",
              quantiles("claude_sidecar_upstream_connect_seconds", "reused", (0.5, 0.95), "@"),
              "Until a connection stood; reused ones stand already."),
        Panel("Connections", "timeseries", "short",
              [("sum by (state) (claude_sidecar_upstream_connections{@})", "{{state}}")],
              "To the upstream, with a request on them or kept for the next."),
        Panel("Turned away", "timeseries", "short", rate("claude_sidecar_rejected_total", "reason"),
              "Before anything was read: too large, too many, no key."),
        Panel("Mended", "timeseries", "short", rate("claude_sidecar_repairs_total", "kind"),
              "What was put right in histories of clients and answers of models."),
        Panel("Left out", "timeseries", "short",
              rate("claude_sidecar_lossy_translations_total", "field"),
              "What the upstream has no place for; DROP_UNSUPPORTED=strict refuses it instead."),
        Panel("Learned", "timeseries", "short",
              [("max by (quirk) (claude_sidecar_learned_quirks{@})", "{{quirk}}")],
              "Models that turned out not to accept something; remembered for an hour."),
    ])

RUNTIME = Dashboard("claude-sidecar-runtime", "Claude sidecar: runtime", "What the process costs.", [
    Panel("Resident memory", "timeseries", "bytes",
          [("process_resident_memory_bytes{@} and on (namespace, pod, instance) "
            "claude_sidecar_build_info", "{{pod}}"),
           ("min(claude_sidecar_memory_limit_bytes{@})", "limit")],
          "The limit is that of the container."),
    Panel("CPU", "timeseries", "short",
          [(f"rate(process_cpu_seconds_total{{@}}{RATE}) and on (namespace, pod, instance) "
            "claude_sidecar_build_info", "{{pod}}")], "Cores in use."),
    Panel("Uptime", "timeseries", "s",
          [("time() - process_start_time_seconds{@} and on (namespace, pod, instance) "
            "claude_sidecar_build_info", "{{pod}}")], "A fall to zero is a restart."),
    Panel("Overhead", "timeseries", "s",
          quantiles("claude_sidecar_overhead_seconds", "phase", (0.5, 0.99), "@"),
          "The sidecar's own share of the time.", thresholds=[0.005, 0.025]),
    Panel("Loop lag", "timeseries", "s",
          quantiles("claude_sidecar_event_loop_lag_seconds", label="@"),
          "For so long an event had to wait for others on its worker.", thresholds=[0.01, 0.1]),
    Panel("Bodies held", "timeseries", "bytes",
          [("sum(claude_sidecar_inflight_body_bytes{@})", "held"),
           ("sum(claude_sidecar_memory_budget_bytes{@})", "budget")],
          "What requests hold of MEMORY_BUDGET; beyond it they are turned away."),
    Panel("Size of requests", "timeseries", "bytes",
          quantiles("claude_sidecar_request_body_bytes", "route", (0.5, 0.99), "@"),
          "MAX_REQUEST_BYTES bounds it."),
    Panel("Bytes of answers", "timeseries", "Bps", rate("claude_sidecar_response_bytes_total"),
          "Sent to clients."),
    Panel("File descriptors", "timeseries", "short",
          [("process_open_fds{@} and on (namespace, pod, instance) claude_sidecar_build_info",
            "{{pod}}"),
           ("min(process_max_fds{@} and on (namespace, pod, instance) claude_sidecar_build_info)",
            "limit")], "About two for each stream."),
    Panel("Log lines dropped", "timeseries", "short", rate("claude_sidecar_log_lines_dropped_total"),
          "Whoever reads the log is too slow, or has stopped."),
])

DASHBOARDS = [OVERVIEW, LLM, ERRORS, RUNTIME]

# Exported, and shown nowhere on purpose.
NOT_SHOWN = {
    "target_info": "attributes for joining, not a figure",
    # The same figures under OpenTelemetry's names, for dashboards that know those.
    **{f"gen_ai_{name}": "OpenTelemetry's name of a figure that is shown" for name in (
        "client_token_usage", "server_request_duration_seconds",
        "server_time_per_output_token_seconds", "server_time_to_first_token_seconds")},
    "process_virtual_memory_bytes": "reserved addresses; nothing runs out of them",
}
