// Estimates of tokens that follow what upstreams count.
import Testing
import Translation

@testable import Proxy

private func words(_ tokens: Double) -> TokenCount { TokenCount(parts: [tokens, 0, 0, 0]) }

@Suite struct TokenCalibrationTests {
    @Test func theRatioFollowsTheUpstream() {
        let calibration = TokenCalibration()
        #expect(calibration.calibrated(careful: words(100), for: "m") == (100, false))
        for _ in 0..<30 {
            _ = calibration.wantsSample(of: "m", rough: 100)
            calibration.learn(150, rough: 300, careful: words(100), of: "m")
        }
        let count = calibration.calibrated(careful: words(1000), for: "m")
        #expect((1480...1510).contains(count.tokens) && count.isLearned)
        #expect(calibration.calibrated(rough: 1000, for: "m") == 500)
        #expect(calibration.calibrated(careful: words(1000), for: "other") == (1000, false))
    }

    @Test func nonsenseMovesItNoFurtherThanItsBounds() {
        let calibration = TokenCalibration()
        _ = calibration.wantsSample(of: "m", rough: 100)
        for _ in 0..<50 { calibration.learn(1_000_000, rough: 100, careful: words(100), of: "m") }
        #expect((150...250).contains(calibration.calibrated(careful: words(100), for: "m").tokens))
        calibration.learn(0, rough: 0, careful: words(0), of: "m")
        #expect((150...250).contains(calibration.calibrated(careful: words(100), for: "m").tokens))
    }

    /// As a real server has shown: seventeen tokens for what looks like twenty-six, and a page that
    /// is estimated right.
    @Test func shortRequestsSayLittleOfLongOnes() {
        let calibration = TokenCalibration()
        _ = calibration.wantsSample(of: "m", rough: 100)
        calibration.learn(1000, rough: 1000, careful: words(1000), of: "m")
        for _ in 0..<5 { calibration.learn(17, rough: 26, careful: words(26), of: "m") }
        #expect(
            (900...1000).contains(calibration.calibrated(careful: words(1000), for: "m").tokens))
    }

    /// As cl100k counts: Chinese takes nearly twice of what words of English say.
    @Test func oneScriptIsLearnedApartFromAnother() {
        let calibration = TokenCalibration()
        _ = calibration.wantsSample(of: "m", rough: 100)
        func count(_ words: Double, _ others: Double) -> TokenCount {
            TokenCount(parts: [words, 0, others, 0])
        }
        for _ in 0..<4 {
            calibration.learn(10_000, rough: 10_000, careful: count(10_000, 0), of: "m")
            calibration.learn(5600, rough: 5000, careful: count(4000, 1000), of: "m")
        }
        let english = calibration.calibrated(careful: count(2000, 0), for: "m").tokens
        let chinese = calibration.calibrated(careful: count(0, 2000), for: "m").tokens
        #expect((1940...2060).contains(english) && (2900...3300).contains(chinese))
    }

    @Test func onlySomeExchangesAreMeasured() {
        let calibration = TokenCalibration()
        var samples = 0
        for _ in 0..<160 where calibration.wantsSample(of: "m", rough: 100) {
            samples += 1
            calibration.learn(10, rough: 10, careful: words(10), of: "m")
        }
        #expect((10...14).contains(samples))
        for model in 0..<1000 { _ = calibration.wantsSample(of: "model \(model)", rough: 100) }
        #expect(!calibration.wantsSample(of: "one too many", rough: 100))
    }

    /// An estimate of a long request takes as long as its translation: it is made less often.
    @Test func longRequestsAreMeasuredLessOften() {
        func samples(_ rough: Int) -> Int {
            let calibration = TokenCalibration()
            return (0..<640).count { _ in
                let isWanted = calibration.wantsSample(of: "m", rough: rough)
                if isWanted { calibration.learn(100, rough: 100, careful: words(100), of: "m") }
                return isWanted
            }
        }
        #expect(samples(1000) == 44 && samples(200_000) == 14)
    }
}
