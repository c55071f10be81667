// Estimates of tokens that follow what upstreams count.
import Testing

@testable import Proxy

@Suite struct TokenCalibrationTests {
    @Test func theRatioFollowsTheUpstream() {
        let calibration = TokenCalibration()
        #expect(calibration.calibrated(careful: 100, for: "m") == (100, false))
        for _ in 0..<30 {
            _ = calibration.wantsSample(of: "m")
            calibration.learn(150, rough: 300, careful: 100, of: "m")
        }
        #expect(calibration.calibrated(careful: 1000, for: "m") == (1500, true))
        #expect(calibration.calibrated(rough: 1000, for: "m") == 500)
        #expect(calibration.calibrated(careful: 1000, for: "other") == (1000, false))
    }

    @Test func nonsenseMovesItNoFurtherThanItsBounds() {
        let calibration = TokenCalibration()
        _ = calibration.wantsSample(of: "m")
        for _ in 0..<50 { calibration.learn(1_000_000, rough: 1, careful: 1, of: "m") }
        #expect(calibration.calibrated(careful: 100, for: "m").tokens == 200)
        calibration.learn(0, rough: 0, careful: 0, of: "m")
        #expect(calibration.calibrated(careful: 100, for: "m").tokens == 200)
    }

    /// As a real server has shown: seventeen tokens for what looks like twenty-six, and a page that
    /// is estimated right.
    @Test func shortRequestsSayLittleOfLongOnes() {
        let calibration = TokenCalibration()
        _ = calibration.wantsSample(of: "m")
        calibration.learn(1000, rough: 1000, careful: 1000, of: "m")
        for _ in 0..<5 { calibration.learn(17, rough: 26, careful: 26, of: "m") }
        #expect((900...1000).contains(calibration.calibrated(careful: 1000, for: "m").tokens))
    }

    @Test func onlySomeExchangesAreMeasured() {
        let calibration = TokenCalibration()
        var samples = 0
        for _ in 0..<160 where calibration.wantsSample(of: "m") {
            samples += 1
            calibration.learn(10, rough: 10, careful: 10, of: "m")
        }
        #expect((10...14).contains(samples))
        for model in 0..<1000 { _ = calibration.wantsSample(of: "model \(model)") }
        #expect(!calibration.wantsSample(of: "one too many"))
    }
}
