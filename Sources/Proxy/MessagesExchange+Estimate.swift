// An exchange's estimate of its input, and what the upstream's count teaches about it.
internal import JSON
internal import Translation

extension MessagesExchange {
    /// Estimates the input in the upstream's own measure.
    func estimate(_ body: JSONOutput, _ plan: inout ExchangePlan) {
        let calibration = context.shared.calibration
        let model = plan.upstreamModel
        tokenEstimate.rough = plan.estimatedInputTokens
        if calibration.wantsSample(of: model) || plan.options.estimatesAtStart {
            let careful = TokenEstimator.estimate(body.pieces)
            tokenEstimate.careful = careful
            plan.estimatedInputTokens = calibration.calibrated(careful: careful, for: model).tokens
        } else {
            plan.estimatedInputTokens = calibration.calibrated(
                rough: tokenEstimate.rough, for: model)
        }
        record.note(plan)
    }

    /// Learns from the upstream's count, when the answer has brought one.
    func calibrate() {
        guard let usage = record.usage, !usage.isEstimated else { return }
        context.shared.calibration.learn(
            usage.inputTokens + usage.cacheReadTokens + usage.cacheCreationTokens,
            rough: tokenEstimate.rough, careful: tokenEstimate.careful, of: record.upstreamModel)
    }
}
