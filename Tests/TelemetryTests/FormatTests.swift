// Who asks gets what it asks for: formats, compression, exemplars.

import Foundation
import Testing

@testable import Telemetry

@Suite struct Negotiation {
    /// What Prometheus 2.42 and 3 send, what people send, and what nobody should.
    @Test(
        arguments: [
            (nil, .text), ("", .text), ("*/*", .text), ("text/plain", .text),
            ("application/json", .text), ("application/openmetrics-text", .openMetrics),
            (
                "application/openmetrics-text;version=1.0.0,"
                    + "application/openmetrics-text;version=0.0.1;q=0.75,"
                    + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", .openMetrics
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
                    + "application/openmetrics-text;version=0.0.1;q=0.4,"
                    + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
                    + "text/plain;version=0.0.4;q=0.2,*/*;q=0.1", .openMetrics
            ),
            ("application/openmetrics-text;version=0.0.1,text/plain;q=0.5", .text),
            ("application/openmetrics-text; version=2.0.0", .text),
            ("application/openmetrics-text;q=0.3,text/plain;q=0.7", .text),
            ("Application/OpenMetrics-Text; Version=\"1.0.0\"; Q=1, text/*;q=0.9", .openMetrics),
            ("application/openmetrics-text;q=0", .text), ("application/*", .openMetrics),
            ("application/openmetrics-text, */*", .openMetrics),
            ("application/openmetrics-text;q=nonsense, text/plain;q=0.1", .text),
            (";;,,;q", .text),
        ] as [(String?, ExpositionFormat)])
    func formatIsTheOneLikedBest(accept: String?, expected: ExpositionFormat) {
        #expect(ExpositionFormat(accept: accept) == expected)
    }

    @Test(
        arguments: [
            (nil, false), ("gzip", true), ("gzip, deflate, br", true), ("GZIP;q=0.5", true),
            ("gzip;q=0", false), ("deflate", false), ("*", true), ("*;q=0", false),
            ("identity, *;q=0, gzip;q=1", true), ("gzip;q=0, *", false),
        ] as [(String?, Bool)])
    func gzipIsForThoseWhoAsk(accept: String?, expected: Bool) {
        #expect(ExpositionFormat.allowsGzip(acceptEncoding: accept) == expected)
    }
}

@Suite struct Exemplars {
    private let shards = (0..<2).map { _ in MetricsShard(modelCount: 1) }
    private var registry: MetricsRegistry {
        MetricsRegistry(
            shards: shards, models: ["m"], build: BuildReport(version: "1", curl: "8"))
    }
    private let name = "claude_sidecar_time_to_first_token_seconds_bucket"

    private func exemplars(_ format: ExpositionFormat) throws -> [String: String] {
        let scrape = try Exposition(
            registry.exposition(ProcessReport(), format), isOpenMetrics: format == .openMetrics)
        let samples = scrape.families.flatMap(\.family.samples)
        return Dictionary(
            uniqueKeysWithValues: samples.compactMap { sample in
                sample.exemplar.map { (sample.key, $0) }
            })
    }

    @Test func latestTraceOfABucketIsShown() throws {
        shards[0].observe(.timeToFirstToken, SeriesKey(0), 0.03, traceID: "old", seconds: 1)
        shards[1].observe(.timeToFirstToken, SeriesKey(0), 0.035, traceID: "new", seconds: 2)
        shards[1].observe(.timeToFirstToken, SeriesKey(0), 1000, traceID: "slow", seconds: 1.5)
        shards[0].observe(.timeToFirstToken, SeriesKey(0), 0.002)
        #expect(
            try exemplars(.openMetrics) == [
                name + #"{model="m",le="0.04"}"#: "new", name + #"{model="m",le="+Inf"}"#: "slow",
            ])
    }

    @Test func plainTextHasNone() throws {
        shards[0].observe(.timeToFirstToken, SeriesKey(0), 0.03, traceID: "a", seconds: 1)
        let text = String(
            decoding: registry.exposition(ProcessReport(), .text), as: UTF8.self)
        #expect(!text.contains("trace_id"))
    }

    @Test func countersAndHistogramsTellWhenTheyBegan() throws {
        shards[0].observe(.timeToFirstToken, SeriesKey(0), 0.03)
        var process = ProcessReport()
        process.startSeconds = 1_763_989_740.25
        let scrape = try Exposition(
            registry.exposition(process, .openMetrics), isOpenMetrics: true)
        let created = "claude_sidecar_time_to_first_token_seconds_created{model=\"m\"}"
        #expect(scrape[created] == 1_763_989_740.25)
        #expect(scrape["claude_sidecar_pings_sent_created"] == 1_763_989_740.25)
        let text = String(decoding: registry.exposition(process, .text), as: UTF8.self)
        #expect(!text.contains("_created"))
    }
}
