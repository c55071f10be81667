// The same figures by OpenTelemetry's names for generative AI, for dashboards that know only those.

/// Says some metrics again as the semantic conventions have them (`gen_ai.*`, in development).
///
/// Nothing is counted twice for it but `gen_ai_client_token_usage`, which has no counterpart.
struct GenAIMirror {
    /// Who serves the models, as `gen_ai.provider.name`.
    let provider: String

    func families(_ counted: [MetricFamily]) -> [MetricFamily] {
        counted.compactMap { family in
            switch family.name {
            case MetricDefinition.requestDuration.name: durations(family)
            case MetricDefinition.timeToFirstToken.name: renamed(family, .genAIFirstToken)
            case MetricDefinition.timePerOutputToken.name: renamed(family, .genAIPerToken)
            default: nil
            }
        }
    }

    /// Completes the labels of what was counted by its own name.
    func completed(_ family: MetricFamily) -> MetricFamily {
        var other = family
        other.samples = family.samples.map { sample in
            let type = sample.labels.filter { $0.name == "gen_ai_token_type" }
            let model = sample.labels.first { $0.name == "gen_ai_request_model" }?.value ?? ""
            return MetricFamily.Sample(labels: labels(model) + type, value: sample.value)
        }
        return other
    }

    private func labels(_ model: String) -> MetricFamily.Labels {
        [
            ("gen_ai_operation_name", "chat"), ("gen_ai_provider_name", provider),
            ("gen_ai_request_model", model), ("gen_ai_response_model", model),
        ]
    }

    private func renamed(_ family: MetricFamily, _ definition: MetricDefinition) -> MetricFamily {
        var other = MetricFamily(definition)
        other.samples = family.samples.map { sample in
            var copy = MetricFamily.Sample(
                labels: labels(sample.labels.value("model")), value: sample.value)
            copy.exemplars = sample.exemplars
            return copy
        }
        return other
    }

    /// Exchanges of all kinds together; those that failed say by what.
    private func durations(_ family: MetricFamily) -> MetricFamily? {
        var order: [[String]] = []
        var merged: [[String]: MetricFamily.Value] = [:]
        for sample in family.samples where sample.labels.value("route") == "messages" {
            let key = [sample.labels.value("model"), sample.labels.value("outcome")]
            if let known = merged[key] {
                merged[key] = known + sample.value
            } else {
                order.append(key)
                merged[key] = sample.value
            }
        }
        var other = MetricFamily(.genAIDuration)
        for key in order {
            guard let value = merged[key] else { continue }
            let failure = key[1] == OutcomeLabel.completed.rawValue ? [] : [("error_type", key[1])]
            other.samples.append(
                MetricFamily.Sample(labels: labels(key[0]) + failure, value: value))
        }
        return other.samples.isEmpty ? nil : other
    }
}

extension MetricFamily.Labels {
    fileprivate func value(_ name: String) -> String { first { $0.name == name }?.value ?? "" }
}

extension MetricFamily.Value {
    fileprivate static func + (a: Self, b: Self) -> Self {
        switch (a, b) {
        case (.number(let x), .number(let y)): .number(x + y)
        case (.histogram(let x, let sum), .histogram(let y, let more)):
            .histogram(counts: zip(x, y).map { $0 + $1 }, sum: sum + more)
        case (.number, .histogram), (.histogram, .number): a
        }
    }
}

extension MetricDefinition {
    private static let genAILabels = [
        "gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model",
        "gen_ai_response_model",
    ].map(MetricLabel.told)

    private static func genAI(
        _ name: String, _ help: String, _ original: MetricDefinition, _ more: [MetricLabel] = []
    ) -> MetricDefinition {
        foreign(name, help, original.kind, genAILabels + more).shownWhenTouched.unstable
    }

    static let genAIDuration = genAI(
        "gen_ai_server_request_duration_seconds",
        "claude_sidecar_request_duration_seconds of messages, by OpenTelemetry's name.",
        .requestDuration, [.told("error_type")])
    static let genAIFirstToken = genAI(
        "gen_ai_server_time_to_first_token_seconds",
        "claude_sidecar_time_to_first_token_seconds by OpenTelemetry's name.", .timeToFirstToken)
    static let genAIPerToken = genAI(
        "gen_ai_server_time_per_output_token_seconds",
        "claude_sidecar_time_per_output_token_seconds by OpenTelemetry's name.",
        .timePerOutputToken)
}
