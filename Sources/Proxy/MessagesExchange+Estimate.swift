// An exchange's estimate of its input, and what the upstream's count teaches about it.
internal import JSON
internal import Translation

extension TokenEstimate {
    /// Estimates what a request has become, with care when that is wanted.
    init(of request: TranslatedRequest, _ calibration: TokenCalibration) {
        let plan = request.plan
        rough = plan.estimatedInputTokens
        guard case .upstream(let body, _) = request,
            calibration.wantsSample(of: plan.upstreamModel, rough: rough)
                || plan.options.estimatesAtStart
        else { return }
        careful = TokenEstimator.estimate(body.pieces)
    }
}

extension MessagesExchange {
    /// An estimate in the upstream's own measure.
    func calibrated(_ estimate: TokenEstimate, _ plan: ExchangePlan) -> Int {
        let calibration = context.shared.calibration
        let model = plan.upstreamModel
        guard let careful = estimate.careful else {
            return calibration.calibrated(rough: estimate.rough, for: model)
        }
        return calibration.calibrated(careful: careful, for: model).tokens
    }

    /// Learns from the upstream's count, when the answer has brought one.
    func calibrate() {
        guard let usage = record.usage, !usage.isEstimated else { return }
        context.shared.calibration.learn(
            usage.inputTokens + usage.cacheReadTokens + usage.cacheCreationTokens,
            rough: tokenEstimate.rough, careful: tokenEstimate.careful, of: record.upstreamModel)
    }
}
