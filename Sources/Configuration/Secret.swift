// What must not be seen.

/// A value that must not be seen; prints as a placeholder whatever prints it.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The value itself; for the one place that sends or compares it.
    package let revealed: String

    /// Hides a value.
    package init(_ value: String) { revealed = value }

    /// Never the value.
    package var description: String { "‹secret›" }
    /// Never the value.
    package var debugDescription: String { "‹secret›" }
    /// No children, so that `dump` shows nothing either.
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// A secret, or the file that holds it and may change.
package enum SecretSource: Sendable, Equatable {
    case value(Secret)
    case file(String)
}
