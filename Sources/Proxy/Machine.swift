// What this process has used, and what it may use.
internal import Glibc
internal import Telemetry

extension ProcessReport {
    /// Reads `/proc/self`; what cannot be read stays zero.
    static func read() -> ProcessReport {
        var figures = ProcessReport()
        let ticks = Double(max(1, sysconf(CInt(_SC_CLK_TCK))))
        let page = sysconf(CInt(_SC_PAGESIZE))
        if let fields = statFields() {
            figures.cpuSeconds = Double((fields[13] ?? 0) + (fields[14] ?? 0)) / ticks
            figures.virtualBytes = fields[22] ?? 0
            figures.residentBytes = (fields[23] ?? 0) * page
            figures.startSeconds = bootSeconds() + Double(fields[21] ?? 0) / ticks
        }
        var limit = rlimit()
        if unsafe getrlimit(__rlimit_resource_t(7), &limit) == 0 {
            figures.descriptorsMax = Int(clamping: limit.rlim_cur)
        }
        figures.openDescriptors = countDescriptors()
        return figures
    }

    /// The numbers of `/proc/self/stat` by their place, counted from 0; the command's name, which
    /// may hold spaces, is skipped.
    private static func statFields() -> [Int: Int]? {
        guard let text = try? SmallFile.readText("/proc/self/stat"),
            let close = text.lastIndex(of: ")")
        else { return nil }
        var fields: [Int: Int] = [:]
        let words = text[text.index(after: close)...].split(separator: " ")
        for (index, word) in words.enumerated() { fields[index + 2] = Int(word) }
        return fields
    }

    private static func bootSeconds() -> Double {
        guard let text = try? SmallFile.readText("/proc/stat") else { return 0 }
        for line in text.split(separator: "\n") where line.hasPrefix("btime ") {
            return Double(line.dropFirst(6)) ?? 0
        }
        return 0
    }

    private static func countDescriptors() -> Int {
        guard let directory = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { unsafe closedir(directory) }
        var count = -3  // `.`, `..` and the directory itself
        while unsafe readdir(directory) != nil { count += 1 }
        return max(0, count)
    }
}

/// Limits that the container sets.
package enum Container {
    /// CPUs that the quota allows, rounded up; the machine's own when there is none.
    package static func cpuCount() -> Int {
        let machine = max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN)))
        guard let text = try? SmallFile.readText("/sys/fs/cgroup/cpu.max") else { return machine }
        let words = text.split(separator: " ")
        guard words.count == 2, let quota = Int(words[0]), let period = Int(words[1]), period > 0
        else { return machine }
        return min(machine, max(1, (quota + period - 1) / period))
    }

    /// The memory limit in bytes; `nil` when there is none.
    ///
    /// In a container with its own view of the cgroups the first two files are its limit; elsewhere
    /// the process's group is named in `/proc`, and the least limit on its way to the root counts.
    package static func memoryBytesMax(
        read: (String) -> String? = { try? SmallFile.readText($0) }
    ) -> Int? {
        let root = "/sys/fs/cgroup"
        var files = [root + "/memory.max", root + "/memory/memory.limit_in_bytes"]
        for line in (read("/proc/self/cgroup") ?? "").split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            if fields[0] == "0" {
                files += paths(root, fields[2]).map { $0 + "/memory.max" }
            } else if fields[1].split(separator: ",").contains("memory") {
                files += paths(root + "/memory", fields[2]).map { $0 + "/memory.limit_in_bytes" }
            }
        }
        // Without a limit there is `max`, or a number near the end of what 64 bits hold.
        return files.compactMap { read($0).flatMap { Int($0) } }.filter { $0 < 1 << 60 }.min()
    }

    /// The folders of a group and of those that it is in.
    private static func paths(_ root: String, _ group: Substring) -> [String] {
        var path = root
        return group.split(separator: "/").map { part in
            path += "/" + part
            return path
        }
    }
}
