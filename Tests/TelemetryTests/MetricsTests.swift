// What is counted is what a scrape says.

import Testing

@testable import Telemetry

private let build = BuildReport(version: "1.2.3", curl: "8.0")

/// A registry of some shards, and its scrape.
private struct Fixture {
    let shards: [MetricsShard]
    let registry: MetricsRegistry

    init(shards count: Int = 1, models: [String] = []) {
        shards = (0..<count).map { _ in MetricsShard() }
        registry = MetricsRegistry(shards: shards, models: models, build: build)
    }

    func scrape(isOpenMetrics: Bool = false) throws -> Exposition {
        let bytes = registry.exposition(
            ProcessReport(), isOpenMetrics ? .openMetrics : .text)
        return try Exposition(bytes, isOpenMetrics: isOpenMetrics)
    }
}

@Suite struct Counting {
    @Test func shardsAreAddedUp() throws {
        let fixture = Fixture(shards: 3)
        for (index, shard) in fixture.shards.enumerated() { shard.add(.pings, SeriesKey(), index) }
        #expect(try fixture.scrape()["claude_sidecar_pings_sent_total"] == 3)
    }

    @Test func labelsNameWhatTheKeySays() throws {
        let fixture = Fixture(models: ["gpt-5", "gpt-5-mini"])
        let key = SeriesKey(
            RouteLabel.countTokens.labelIndex, 529, 1, fixture.registry.modelIndex("gpt-5-mini"))
        fixture.shards[0].add(.requests, key, 7)
        let name = "claude_sidecar_requests_total"
        let labels = #"{route="count_tokens",code="529",stream="true",model="gpt-5-mini"}"#
        #expect(try fixture.scrape()[name + labels] == 7)
    }

    @Test(arguments: [-1, 1, 299, 599, 600, 1_000_000, Int.max, Int.min])
    func unusualStatusesShareALabel(code: Int) throws {
        let fixture = Fixture()
        fixture.shards[0].add(.upstreamRequests, SeriesKey(code, 1))
        let scrape = try fixture.scrape()
        #expect(
            scrape[#"claude_sidecar_upstream_requests_total{code="other",attempt="retry"}"#] == 1)
    }

    @Test func everyUsualStatusHasItsOwnLabel() throws {
        let fixture = Fixture()
        for code in [0, 200, 400, 401, 403, 404, 413, 429, 500, 502, 503, 504, 529] {
            fixture.shards[0].add(.upstreamRequests, SeriesKey(code, 0), code + 1)
            let key = "claude_sidecar_upstream_requests_total{code=\"\(code)\",attempt=\"first\"}"
            #expect(try fixture.scrape()[key] == Double(code + 1))
        }
    }

    @Test func noTwoSeriesShareACell() {
        let layout = MetricsLayout(modelCount: 3)
        var owners: [Int: String] = [:]
        for metric in Metric.allCases {
            let place = layout.places[metric.rawValue]
            for series in 0..<place.seriesCount {
                let start = place.base + series * place.cellsPerSeries
                for cell in start..<(start + place.cellsPerSeries) {
                    #expect(owners.updateValue("\(metric)", forKey: cell) == nil)
                }
            }
        }
        #expect(owners.count == layout.cellCount)
        #expect(owners.keys.max() == layout.cellCount - 1)
    }

    @Test func keysLeadToTheSeriesThatTheirLabelsName() {
        let layout = MetricsLayout(modelCount: 3)
        let place = layout.places[Metric.requestDuration.rawValue]
        for series in stride(from: 0, to: place.seriesCount, by: 97) {
            let indices = layout.indices(.requestDuration, series: series)
            let key = SeriesKey(indices[0], indices[1], indices[2], indices[3])
            #expect(layout.cell(place, key) == place.base + series * place.cellsPerSeries)
        }
    }

    @Test func indicesThatAreTooLargeNameTheLastValue() throws {
        let fixture = Fixture()
        fixture.shards[0].add(.errors, SeriesKey(99))
        fixture.shards[0].add(.errors, SeriesKey(-5), 2)
        let scrape = try fixture.scrape()
        #expect(scrape[#"claude_sidecar_errors_total{type="_OTHER"}"#] == 1)
        #expect(scrape[#"claude_sidecar_errors_total{type="caller_invalid"}"#] == 2)
    }

    @Test func modelsBeyondTheCapAreOther() throws {
        let fixture = Fixture(models: (0..<80).map { "model-\($0)" })
        let shard = fixture.shards[0]
        for model in ["model-0", "model-49", "model-50", "model-79", "made-up"] {
            shard.add(.stopReasons, SeriesKey(0, fixture.registry.modelIndex(model)))
        }
        let scrape = try fixture.scrape()
        let name = "claude_sidecar_stop_reasons_total"
        #expect(scrape[name + #"{reason="end_turn",model="model-49"}"#] == 1)
        #expect(scrape[name + #"{reason="end_turn",model="model-50"}"#] == nil)
        #expect(scrape[name + #"{reason="end_turn",model="other"}"#] == 3)
    }

    @Test func repeatedModelsAreOneLabel() {
        let registry = Fixture(models: ["a", "b", "a", "c"]).registry
        #expect(["a", "b", "c", "d"].map(registry.modelIndex) == [0, 1, 2, 3])
    }

    @Test func valuesOnABoundCountBelowIt() throws {
        let fixture = Fixture(models: ["m"])
        for value in [0.0, 0.001, 0.0011, 80, 80.1, 1e9] {
            fixture.shards[0].observe(.timeToFirstToken, SeriesKey(0), value)
        }
        let scrape = try fixture.scrape()
        let name = "claude_sidecar_time_to_first_token_seconds"
        #expect(scrape[name + #"_bucket{model="m",le="0.001"}"#] == 2)
        #expect(scrape[name + #"_bucket{model="m",le="0.005"}"#] == 3)
        #expect(scrape[name + #"_bucket{model="m",le="80"}"#] == 4)
        #expect(scrape[name + #"_bucket{model="m",le="+Inf"}"#] == 6)
        #expect(scrape[name + #"_count{model="m"}"#] == 6)
        #expect(abs((scrape[name + #"_sum{model="m"}"#] ?? 0) - 1_000_000_160.1021) < 1e-3)
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity])
    func valuesThatAreNoNumbersSpoilNoSum(value: Double) throws {
        let fixture = Fixture()
        fixture.shards[0].observe(.eventLoopLag, SeriesKey(), value)
        let scrape = try fixture.scrape()
        #expect(scrape["claude_sidecar_event_loop_lag_seconds_sum"] == 0)
        #expect(scrape["claude_sidecar_event_loop_lag_seconds_count"] == 1)
    }

    @Test func gaugesGoUpAndDown() throws {
        let fixture = Fixture(shards: 2)
        fixture.shards[0].inFlight(.messages, 1)
        fixture.shards[1].inFlight(.messages, 1)
        fixture.shards[1].inFlight(.messages, -1)
        fixture.shards[0].streamsInFlight(1)
        let scrape = try fixture.scrape()
        #expect(scrape[#"claude_sidecar_requests_in_flight{route="messages"}"#] == 1)
        #expect(scrape["claude_sidecar_streams_in_flight"] == 1)
    }

    @Test func nothingIsLostWhenThreadsCountAtOnce() async throws {
        let fixture = Fixture(shards: 4, models: ["m"])
        await withTaskGroup(of: Void.self) { group in
            for shard in fixture.shards + fixture.shards {
                group.addTask {
                    for index in 0..<10_000 {
                        shard.add(.tokens, SeriesKey(index % 5, 0))
                        shard.observe(.upstreamFirstByte, SeriesKey(0), 0.5)
                    }
                }
            }
        }
        let scrape = try fixture.scrape()
        #expect(scrape[#"claude_sidecar_tokens_total{type="output",model="m"}"#] == 16_000)
        #expect(scrape[#"claude_sidecar_upstream_first_byte_seconds_count{model="m"}"#] == 80_000)
        #expect(scrape[#"claude_sidecar_upstream_first_byte_seconds_sum{model="m"}"#] == 40_000)
    }
}

@Suite struct Scraping {
    @Test(arguments: [false, true])
    func firstScrapeHasTheClosedSetsAndNothingElse(isOpenMetrics: Bool) throws {
        let scrape = try Fixture(models: ["m"]).scrape(isOpenMetrics: isOpenMetrics)
        #expect(scrape["claude_sidecar_pings_sent_total"] == 0)
        #expect(scrape[#"claude_sidecar_rejected_total{reason="draining"}"#] == 0)
        #expect(scrape[#"claude_sidecar_stream_outcomes_total{outcome="upstream_cut"}"#] == 0)
        #expect(scrape["process_open_fds"] == 0)
        let names = Set(scrape.families.map(\.name))
        #expect(!names.contains { $0.contains("tokens") || $0.contains("upstream_up") })
        #expect(!names.contains { $0.contains("event_loop_lag") })
    }

    @Test(arguments: [false, true])
    func everyMetricObeysTheGrammar(isOpenMetrics: Bool) throws {
        let fixture = Fixture(shards: 2, models: ["m"])
        touchEverything(fixture.shards[1])
        let scrape = try fixture.scrape(isOpenMetrics: isOpenMetrics)
        for metric in Metric.allCases {
            let full = metric.definition.name
            let name =
                isOpenMetrics && full.hasSuffix("_total") ? String(full.dropLast(6)) : full
            #expect(scrape.families.contains { $0.name == name }, "\(name)")
        }
    }

    private func touchEverything(_ shard: MetricsShard) {
        for metric in Metric.allCases {
            if case .histogram = metric.definition.kind {
                shard.observe(metric, SeriesKey(), 0.3)
            } else {
                shard.add(metric)
            }
        }
    }

    @Test(arguments: [false, true])
    func reportsAreShownWhenTheyAreThere(isOpenMetrics: Bool) throws {
        var process = ProcessReport()
        process.isDraining = true
        process.cpuSeconds = 1.25
        process.inflightBodyBytes = 5
        process.memoryBudgetBytes = 6
        process.upstreams = [UpstreamReport(name: "azure", isReached: true, breaker: .halfOpen)]
        process.learnedQuirks = [("noTopK", 2)]
        var build = build
        build.commit = "abc"
        build.configuration = ["openai", "anthropic"].map { [(name: "protocol", value: $0)] }
        build.resource = [(name: "service_name", value: "say \"hi\"\\\n")]
        let registry = MetricsRegistry(shards: [], models: [], build: build)
        let scrape = try Exposition(
            registry.exposition(process, isOpenMetrics ? .openMetrics : .text),
            isOpenMetrics: isOpenMetrics)
        #expect(scrape["claude_sidecar_draining"] == 1)
        #expect(scrape["process_cpu_seconds_total"] == 1.25)
        #expect(scrape[#"claude_sidecar_upstream_up{upstream="azure"}"#] == 1)
        for (state, value) in [("closed", 0.0), ("open", 0), ("half_open", 1)] {
            let series = #"claude_sidecar_upstream_breaker{upstream="azure",state="\#(state)"}"#
            #expect(scrape[series] == value)
        }
        #expect(scrape[#"claude_sidecar_learned_quirks{quirk="noTopK"}"#] == 2)
        #expect(scrape[#"claude_sidecar_config_info{protocol="openai"}"#] == 1)
        #expect(scrape[#"claude_sidecar_config_info{protocol="anthropic"}"#] == 1)
        #expect(scrape["target_info{service_name=\"say \"hi\"\\\n\"}"] == 1)
        let info = try #require(
            scrape.families.first { $0.name == "claude_sidecar_build_info" }?.family.samples.first)
        #expect(info.labels.map(\.name) == ["version", "commit", "swift", "curl"])
    }

    @Test func namesOfModelsAreEscaped() throws {
        let hostile = "a\"} 1\nb\\{,=é"
        let fixture = Fixture(models: [hostile])
        fixture.shards[0].add(.stopReasons, SeriesKey(0, 0))
        let scrape = try fixture.scrape()
        let family = scrape.families.first { $0.name == "claude_sidecar_stop_reasons_total" }
        #expect(family?.family.samples.first?.labels.last?.value == hostile)
    }

    @Test func boundsAreFloatsInOpenMetrics() throws {
        let fixture = Fixture(models: ["m"])
        fixture.shards[0].observe(.timeToFirstToken, SeriesKey(0), 1)
        let name = "claude_sidecar_time_to_first_token_seconds_bucket"
        #expect(
            try fixture.scrape(isOpenMetrics: true)[name + #"{model="m",le="1.0"}"#] == 1)
        #expect(try fixture.scrape()[name + #"{model="m",le="1"}"#] == 1)
    }

    @Test func busyDeploymentStaysBelowTheSeriesBudget() throws {
        let fixture = Fixture(models: ["a", "b", "c", "d"])
        let shard = fixture.shards[0]
        let ways: [(stream: Int, outcome: OutcomeLabel)] = [
            (1, .completed), (1, .clientDisconnect), (1, .errorEvent), (0, .completed), (0, .error),
        ]
        for model in 0..<4 {
            for way in ways {
                shard.observe(
                    .requestDuration, SeriesKey(0, way.stream, way.outcome.labelIndex, model), 1)
            }
            for code in [200, 400, 401, 413, 429, 500, 502, 504, 529] {
                shard.add(.requests, SeriesKey(0, code, 0, model))
                shard.add(.requests, SeriesKey(0, code, 1, model))
                shard.add(.upstreamRequests, SeriesKey(code, 0))
                shard.add(.upstreamRequests, SeriesKey(code, 1))
            }
            for reason in 0..<5 { shard.add(.stopReasons, SeriesKey(reason, model)) }
            for type in 0..<5 { shard.add(.tokens, SeriesKey(type, model)) }
            shard.observe(.timeToFirstToken, SeriesKey(model), 1)
            shard.observe(.upstreamFirstByte, SeriesKey(model), 1)
            shard.observe(.timePerOutputToken, SeriesKey(model), 1)
        }
        let count = try fixture.scrape().seriesCount
        #expect(count > 500)
        #expect(count < 1500, "\(count) series")
    }
}
