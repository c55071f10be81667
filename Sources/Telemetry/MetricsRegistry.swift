// All shards together, and the text that Prometheus reads.

/// The shards of all threads and the names of the models.
package final class MetricsRegistry: Sendable {
    private let shards: [MetricsShard]
    private let models: [String]
    private let build: BuildReport
    private let layout: MetricsLayout

    /// A registry of shards that were made with equal room for models.
    package init(shards: [MetricsShard], models: [String], build: BuildReport) {
        self.shards = shards
        let layout = shards.first?.layout ?? MetricsLayout(modelCount: models.count)
        self.layout = layout
        var names: [String] = []
        for model in models where names.count < layout.modelCount && !names.contains(model) {
            names.append(model)
        }
        self.models = names + ["other"]
        self.build = build
    }

    /// The index of a model's label; unknown ones are `other`, so that clients cannot make series.
    package func modelIndex(_ model: String) -> Int {
        models.firstIndex(of: model) ?? models.count - 1
    }

    /// The whole exposition: `text/plain; version=0.0.4`, or OpenMetrics 1.0.
    package func exposition(_ process: ProcessReport, isOpenMetrics: Bool) -> [UInt8] {
        var families = Metric.allCases.compactMap(family)
        families += reported(process) + standard(process)
        var text = ExpositionWriter(isOpenMetrics: isOpenMetrics)
        families.sort { [text] x, y in text.name(of: x) < text.name(of: y) }
        for family in families { text.write(family) }
        return text.finish()
    }

    /// A metric with all its series that are shown; nil if there is none.
    private func family(_ metric: Metric) -> MetricFamily? {
        let definition = layout.definitions[metric.rawValue]
        let place = layout.places[metric.rawValue]
        var family = MetricFamily(definition.name, definition.help, definition.kind)
        for series in 0..<place.seriesCount {
            let cell = place.base + series * place.cellsPerSeries
            let values = (cell..<(cell + place.cellsPerSeries)).map(sum)
            guard definition.isShownFromStart || values.contains(where: { $0 != 0 }) else {
                continue
            }
            let value: MetricFamily.Value =
                if case .histogram(_, let unitsPerOne) = definition.kind {
                    .histogram(
                        counts: Array(values.dropLast()),
                        sum: Double(values.last ?? 0) / unitsPerOne)
                } else {
                    .number(Double(values[0]))
                }
            family.samples.append(
                MetricFamily.Sample(labels: labels(metric, series), value: value))
        }
        guard definition.isShownFromStart || !family.samples.isEmpty else { return nil }
        family.samples.sort { x, y in
            x.labels.lexicographicallyPrecedes(y.labels) { $0.value < $1.value }
        }
        return family
    }

    private func sum(_ cell: Int) -> Int {
        shards.reduce(0) { $0 &+ $1.value(ofCell: cell) }
    }

    private func labels(_ metric: Metric, _ series: Int) -> [(name: String, value: String)] {
        let definition = layout.definitions[metric.rawValue]
        return zip(definition.labels, layout.indices(metric, series: series)).map { label, index in
            switch label.values {
            case .closed(let values): (label.name, values[index])
            case .code: (label.name, StatusCodes.labels[index])
            case .model: (label.name, models[min(index, models.count - 1)])
            }
        }
    }

    /// What the sidecar knows of itself.
    private func reported(_ process: ProcessReport) -> [MetricFamily] {
        var version = [
            (label: "version", value: build.version), (label: "curl", value: build.curl),
        ]
        version += [(label: "swift", value: build.swift)]
        if !build.commit.isEmpty { version.append((label: "commit", value: build.commit)) }
        var families: [MetricFamily] = [
            .gauge("claude_sidecar_build_info", "What is running.", 1, version),
            .gauge(
                "claude_sidecar_draining", "1 from SIGTERM on.", process.isDraining ? 1 : 0),
        ]
        if !build.configuration.isEmpty {
            families.append(
                .gauge(
                    "claude_sidecar_config_info", "How it is set up.", 1, build.configuration))
        }
        if !build.resource.isEmpty {
            families.append(
                .gauge("target_info", "Attributes of the resource.", 1, build.resource))
        }
        families += optional(
            "inflight_body_bytes", "Request bodies in memory.", process.inflightBodyBytes)
        families += optional(
            "memory_budget_bytes", "What request bodies may take together.",
            process.memoryBudgetBytes)
        families += optional(
            "upstream_up", "Whether the last attempt reached the upstream.",
            process.isUpstreamUp.map { $0 ? 1 : 0 })
        return families + connections(process)
    }

    private func optional(_ name: String, _ help: String, _ value: Int?) -> [MetricFamily] {
        value.map { [.gauge("claude_sidecar_" + name, help, Double($0))] } ?? []
    }

    private func connections(_ process: ProcessReport) -> [MetricFamily] {
        var family = MetricFamily(
            "claude_sidecar_upstream_connections", "Connections to the upstream.", .gauge)
        for (state, count) in [
            ("active", process.activeUpstreamConnections),
            ("idle", process.idleUpstreamConnections),
        ] {
            if let count { family.append(Double(count), [(label: "state", value: state)]) }
        }
        return family.samples.isEmpty ? [] : [family]
    }

    /// The figures that every Prometheus client library reports, by the same names.
    private func standard(_ process: ProcessReport) -> [MetricFamily] {
        var cpu = MetricFamily(
            "process_cpu_seconds_total", "CPU time, user and system.", .counter)
        cpu.append(process.cpuSeconds, [])
        return [
            cpu,
            .gauge(
                "process_resident_memory_bytes", "Resident memory.", Double(process.residentBytes)),
            .gauge(
                "process_virtual_memory_bytes", "Virtual memory.", Double(process.virtualBytes)),
            .gauge("process_open_fds", "Open file descriptors.", Double(process.openDescriptors)),
            .gauge(
                "process_max_fds", "Limit of open file descriptors.",
                Double(process.descriptorsMax)),
            .gauge(
                "process_start_time_seconds", "Start of the process since 1970.",
                process.startSeconds),
        ]
    }
}
