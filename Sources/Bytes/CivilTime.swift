// The calendar, by arithmetic alone.

/// A moment in the Gregorian calendar, in UTC.
package struct CivilTime: Sendable, Equatable {
    /// The year, for instance 2025.
    package let year: Int
    /// The month, 1 to 12.
    package let month: Int
    /// The day of the month, 1 to 31.
    package let day: Int
    /// The hour, 0 to 23.
    package let hour: Int
    /// The minute, 0 to 59.
    package let minute: Int
    /// The second, 0 to 59; Unix time knows no leap seconds.
    package let second: Int
    /// The day of the week, 0 for Sunday.
    package let weekday: Int

    /// The moment so many seconds after the beginning of 1970.
    package init(unixSeconds: Int) {
        let (days, time) = Self.divideDown(unixSeconds, by: 86_400)
        // Count from 1 March of the year 0: then the leap day is the last of its year, and 146 097
        // days make the 400 years after which the calendar repeats.
        let (era, dayOfEra) = Self.divideDown(days + 719_468, by: 146_097)
        let leapDays = dayOfEra / 1_460 - dayOfEra / 36_524 + dayOfEra / 146_096
        let yearOfEra = (dayOfEra - leapDays) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        // From March on, five months have 153 days.
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = era * 400 + yearOfEra + (monthFromMarch < 10 ? 0 : 1)
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        hour = time / 3_600
        minute = time / 60 % 60
        second = time % 60
        // The first day of 1970 was a Thursday.
        weekday = Self.divideDown(days + 4, by: 7).remainder
    }

    private static func divideDown(
        _ value: Int, by divisor: Int
    ) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

extension [UInt8] {
    /// Appends a number of a fixed width of at least one digit, with leading zeros.
    package mutating func append(decimal value: Int, width: Int) {
        var divisor = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }

    /// Appends `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
    package mutating func append(httpDate time: CivilTime) {
        append(Self.weekdays[time.weekday])
        append(", ")
        append(decimal: time.day, width: 2)
        append(" ")
        append(Self.months[time.month - 1])
        append(" ")
        append(decimal: time.year, width: 4)
        append(" ")
        append(clock: time)
        append(" GMT")
    }

    /// Appends `2025-11-24T13:09:00.123Z` (RFC 3339).
    package mutating func append(timestamp unixNanoseconds: Int) {
        var seconds = unixNanoseconds / 1_000_000_000
        var rest = unixNanoseconds % 1_000_000_000
        if rest < 0 {
            seconds -= 1
            rest += 1_000_000_000
        }
        let time = CivilTime(unixSeconds: seconds)
        let start = count
        append("0000-00-00T00:00:00.000Z")
        var text = mutableSpan
        text.write(decimal: time.year, upTo: start + 4)
        text.write(decimal: time.month, upTo: start + 7)
        text.write(decimal: time.day, upTo: start + 10)
        text.write(decimal: time.hour, upTo: start + 13)
        text.write(decimal: time.minute, upTo: start + 16)
        text.write(decimal: time.second, upTo: start + 19)
        text.write(decimal: rest / 1_000_000, upTo: start + 23)
    }

    private mutating func append(clock time: CivilTime) {
        append(decimal: time.hour, width: 2)
        append(":")
        append(decimal: time.minute, width: 2)
        append(":")
        append(decimal: time.second, width: 2)
    }

    private static let weekdays: [StaticString] = [
        "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat",
    ]
    private static let months: [StaticString] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}

extension MutableSpan<UInt8> {
    /// Writes the digits of a number so that the last one stands before `end`.
    fileprivate mutating func write(decimal value: Int, upTo end: Int) {
        var rest = value
        var index = end
        while rest > 0 {
            index -= 1
            self[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }
}
