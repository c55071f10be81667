// Tools that Anthropic defines (translation 1.5).
internal import JSON

/// Tools that Anthropic defines and the client executes; any model can call them by a schema.
enum AnthropicTool {
    /// The schema for a dated type; `nil` for tools that a server would have to execute.
    static func schema(of type: String) -> StaticString? {
        if type.hasPrefix("bash_") { return bash }
        if type == "text_editor_20241022" || type == "text_editor_20250124" {
            return textEditorWithUndo
        }
        if type.hasPrefix("text_editor_") { return textEditor }
        if type.hasPrefix("memory_") { return memory }
        if type.hasPrefix("computer_2") { return computer }
        return nil
    }

    /// What a model must be told of a tool that it does not know from its training.
    static func description(of tool: JSONValue, _ type: String) -> TextRun? {
        guard type.hasPrefix("computer_2") else { return nil }
        let width = tool["display_width_px"]?.integer ?? 0
        let height = tool["display_height_px"]?.integer ?? 0
        return TextRun(pieces: [
            .plain(
                "Controls the mouse and keyboard of a screen of \(width) × \(height) pixels and "
                    + "takes screenshots. Coordinates are [x, y] in pixels from the top left.")
        ])
    }

    /// The name of the loss when a tool is not offered upstream.
    static func lossField(of type: String) -> String {
        families.first { type.hasPrefix($0) } ?? "unknown_tool"
    }

    /// Tools that nobody here can execute.
    static let families = [
        "web_search", "web_fetch", "code_execution", "advisor", "mcp_toolset", "computer_toolset",
        "browser_toolset",
    ]

    private static let bash: StaticString = #"""
        {"type":"object","properties":{\#
        "command":{"type":"string"},"restart":{"type":"boolean"}}}
        """#

    private static let textEditor: StaticString = #"""
        {"type":"object","properties":{\#
        "command":{"type":"string",\#
        "enum":["view","create","str_replace","insert"]},\#
        "path":{"type":"string"},"file_text":{"type":"string"},\#
        "old_str":{"type":"string"},"new_str":{"type":"string"},\#
        "insert_line":{"type":"integer"},"insert_text":{"type":"string"},\#
        "view_range":{"type":"array","items":{"type":"integer"}}},\#
        "required":["command","path"]}
        """#

    private static let textEditorWithUndo: StaticString = #"""
        {"type":"object","properties":{\#
        "command":{"type":"string",\#
        "enum":["view","create","str_replace","insert","undo_edit"]},\#
        "path":{"type":"string"},"file_text":{"type":"string"},\#
        "old_str":{"type":"string"},"new_str":{"type":"string"},\#
        "insert_line":{"type":"integer"},"insert_text":{"type":"string"},\#
        "view_range":{"type":"array","items":{"type":"integer"}}},\#
        "required":["command","path"]}
        """#

    private static let memory: StaticString = #"""
        {"type":"object","properties":{\#
        "command":{"type":"string",\#
        "enum":["view","create","str_replace","insert","delete","rename"]},\#
        "path":{"type":"string"},"file_text":{"type":"string"},\#
        "old_str":{"type":"string"},"new_str":{"type":"string"},\#
        "insert_line":{"type":"integer"},"insert_text":{"type":"string"},\#
        "old_path":{"type":"string"},"new_path":{"type":"string"},\#
        "view_range":{"type":"array","items":{"type":"integer"}}},\#
        "required":["command"]}
        """#

    private static let computer: StaticString = #"""
        {"type":"object","properties":{\#
        "action":{"type":"string","enum":["key","type","mouse_move","left_click",\#
        "left_click_drag","right_click","middle_click","double_click","triple_click","scroll",\#
        "left_mouse_down","left_mouse_up","hold_key","wait","screenshot","cursor_position"]},\#
        "text":{"type":"string"},"duration":{"type":"number"},\#
        "coordinate":{"type":"array","items":{"type":"integer"}},\#
        "start_coordinate":{"type":"array","items":{"type":"integer"}},\#
        "scroll_amount":{"type":"integer"},\#
        "scroll_direction":{"type":"string","enum":["up","down","left","right"]}},\#
        "required":["action"]}
        """#
}
