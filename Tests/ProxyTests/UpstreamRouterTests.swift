// Which upstreams are asked for a model, and in which order.
import Configuration
import Testing
import Translation

@testable import Proxy

private func router(
    _ environment: [String: String] = [:], upstreams: String = "azure,local,last"
) throws -> (UpstreamRouter, Settings) {
    var all = ["UPSTREAMS": upstreams]
    for name in upstreams.split(separator: ",") {
        all["UPSTREAM_\(name.uppercased())_BASE_URL"] = "http://\(name)/v1"
    }
    let settings = try Settings.parse(all.merging(environment) { $1 }).get()
    return (UpstreamRouter(settings), settings)
}

@Suite struct UpstreamRouterTests {
    @Test func withoutRulesEverybodyIsAskedInOrder() throws {
        #expect(try router().0.candidates(for: "claude-x") == [0, 1, 2])
    }

    @Test func whoDoesNotServeAModelIsNotAsked() throws {
        let (router, _) = try router([
            "UPSTREAM_AZURE_MODELS": "gpt-*", "UPSTREAM_LOCAL_MODELS": "qwen3,claude-*haiku*",
        ])
        #expect(router.candidates(for: "gpt-5") == [0, 2])
        #expect(router.candidates(for: "claude-3-haiku") == [1, 2])
        #expect(router.candidates(for: "claude-3-haiku[1m]") == [1, 2])
        #expect(router.candidates(for: "other") == [2])
    }

    @Test func modelsAreAlsoKnownByTheUpstreamsOwnNames() throws {
        let (router, _) = try router([
            "UPSTREAM_AZURE_MODELS": "gpt-5", "UPSTREAM_LOCAL_MODELS": "none",
            "UPSTREAM_AZURE_MODEL_MAP": "claude-opus*=gpt-5",
        ])
        #expect(router.candidates(for: "claude-opus-4") == [0, 2])
    }

    @Test func noUpstreamMayBeLeft() throws {
        let (router, _) = try router(["UPSTREAM_A_MODELS": "x"], upstreams: "a")
        #expect(router.candidates(for: "y").isEmpty)
    }

    @Test func aRuleMayNameTheUpstream() throws {
        let (router, settings) = try router(["MODEL_MAP": "claude-opus*=local/qwen3"])
        #expect(router.candidates(for: "claude-opus-4") == [1])
        #expect(router.candidates(for: "claude-haiku") == [0, 1, 2])
        let maps = settings.upstreams.map { UpstreamRouter.map($0, settings.modelRules) }
        #expect(
            maps.map { $0.resolve("claude-opus-4") } == ["claude-opus-4", "qwen3", "claude-opus-4"]
        )
    }

    @Test func severalSuchRulesAreAnOrder() throws {
        let (router, settings) = try router(["MODEL_MAP": "claude-*=last/a,claude-*=azure/b"])
        #expect(router.candidates(for: "claude-x") == [2, 0])
        let maps = settings.upstreams.map { UpstreamRouter.map($0, settings.modelRules) }
        #expect(maps.map { $0.resolve("claude-x") } == ["b", "claude-x", "a"])
    }

    @Test func aRuleForEverybodyLetsTheOthersFollow() throws {
        let (router, settings) = try router([
            "MODEL_MAP": "claude-*=last/a,claude-*=gpt-5", "UPSTREAM_LOCAL_MODELS": "qwen*",
        ])
        #expect(router.candidates(for: "claude-x") == [2, 0])
        let maps = settings.upstreams.map { UpstreamRouter.map($0, settings.modelRules) }
        #expect(maps.map { $0.resolve("claude-x") } == ["gpt-5", "gpt-5", "a"])
    }

    @Test func anExactNameGoesBeforePatterns() throws {
        let (router, _) = try router(["MODEL_MAP": "*=azure/a,claude-x=local/b"])
        #expect(router.candidates(for: "claude-x") == [1, 0])
        #expect(router.candidates(for: "claude-y") == [0])
    }

    @Test func aSlashIsPartOfANameUnlessAnUpstreamIsCalledSo() throws {
        let (router, settings) = try router(["MODEL_MAP": "claude-*=openai/gpt-5"])
        #expect(router.candidates(for: "claude-x") == [0, 1, 2])
        #expect(settings.modelRules[0].model == "openai/gpt-5")
    }
}

@Suite struct TriesTests {
    @Test func upstreamsAreTriedInOrderAndOnce() {
        var tries = Tries([2, 0, 1])
        #expect(tries.first { _ in true } == 2)
        #expect(tries.next { _ in true } == 0)
        #expect(tries.next { $0 != 1 } == nil)
        #expect(tries.next { _ in true } == 1)
        #expect(tries.next { _ in true } == nil)
        #expect(!tries.isLastResort)
    }

    @Test func whoIsDownIsPassedOver() {
        var tries = Tries([0, 1])
        #expect(tries.first { $0 == 1 } == 1)
        #expect(!tries.isLastResort)
        #expect(tries.next { _ in true } == 0)
    }

    @Test func whenAllAreDownTheFirstChoiceIsAskedAsALastResort() {
        var tries = Tries([1, 0])
        #expect(tries.first { _ in false } == 1)
        #expect(tries.isLastResort)
        #expect(tries.next { _ in true } == 0)
        #expect(!tries.isLastResort)
    }
}
