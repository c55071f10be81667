// How many exchanges are let in, and with how many bytes.
import Testing

@testable import Proxy

@Suite struct AdmissionTests {
    private let small = Admission.exchangeBytes

    @Test func exchangesOverTheLimitAreRefused() throws {
        let admission = Admission(exchangesMax: 2, bytesMax: nil)
        let first = try admission.admit(announced: 0)
        var second: Room? = try admission.admit(announced: 1 << 30)
        #expect(throws: Admission.Refusal.concurrency) { try admission.admit(announced: 0) }
        #expect(second != nil)
        second = nil
        let third = try admission.admit(announced: 0)
        #expect(admission.heldBytes == first.bytes + third.bytes)
    }

    @Test func bytesOverTheBudgetAreRefused() throws {
        let admission = Admission(exchangesMax: 10, bytesMax: 2 * small + 3000)
        let first = try admission.admit(announced: 1000)
        #expect(throws: Admission.Refusal.budget) { try admission.admit(announced: 1001) }
        #expect(admission.heldBytes == first.bytes)
        let second = try admission.admit(announced: 1000)
        #expect(first.bytes == small + 1500 && second.bytes == small + 1500)
    }

    @Test func aRefusedExchangeLeavesNothingBehind() throws {
        let admission = Admission(exchangesMax: 1, bytesMax: small)
        for _ in 0..<3 {
            let room = try admission.admit(announced: 0)
            #expect(throws: Admission.Refusal.concurrency) { try admission.admit(announced: 0) }
            #expect(admission.heldBytes == room.bytes)
        }
        #expect(admission.heldBytes == 0)
    }

    @Test func whoeverIsAloneIsLetIn() throws {
        let admission = Admission(exchangesMax: 10, bytesMax: 1000)
        let room = try admission.admit(announced: 1 << 20)
        #expect(room.hold(body: 2 << 20))
        #expect(throws: Admission.Refusal.budget) { try admission.admit(announced: 0) }
    }

    @Test func aBodyOfUnknownLengthTakesRoomAsItGrows() throws {
        let admission = Admission(exchangesMax: 10, bytesMax: 2 * small + 3000)
        let other = try admission.admit(announced: 0)
        let room = try admission.admit(announced: 0)
        #expect(room.hold(body: 1000))
        #expect(room.hold(body: 2000))
        #expect(!room.hold(body: 2001))
        #expect(admission.heldBytes == other.bytes + small + 3000)
        #expect(room.hold(body: 10), "what is held already is enough")
    }

    @Test func anAnswerTakesRoomBesideItsRequest() throws {
        let admission = Admission(exchangesMax: 10, bytesMax: 2 * small + 3000)
        let other = try admission.admit(announced: 0)
        let room = try admission.admit(announced: 1000)
        #expect(room.hold(answer: 1500, besideBody: 1000))
        #expect(!room.hold(answer: 1501, besideBody: 1000))
        #expect(admission.heldBytes == other.bytes + small + 3000)
    }

    @Test func everythingIsGivenBackByThreadsThatRace() async {
        let admission = Admission(exchangesMax: 3, bytesMax: 4 * small + 900)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                group.addTask {
                    for turn in 0..<500 {
                        guard let room = try? admission.admit(announced: number * turn) else {
                            continue
                        }
                        _ = room.hold(body: 2 * number * turn)
                    }
                }
            }
        }
        #expect(admission.heldBytes == 0)
        #expect(throws: Never.self) { try admission.admit(announced: 0) }
    }
}
