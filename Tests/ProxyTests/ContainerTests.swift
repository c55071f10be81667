// The limits that a container sets.
import Testing

@testable import Proxy

@Suite struct ContainerTests {
    private func limit(_ files: [String: String]) -> Int? {
        Container.memoryBytesMax { files[$0] }
    }

    @Test func aContainerSeesItsOwnLimit() {
        #expect(limit(["/sys/fs/cgroup/memory.max": "134217728"]) == 134_217_728)
        #expect(limit(["/sys/fs/cgroup/memory/memory.limit_in_bytes": "67108864"]) == 67_108_864)
    }

    @Test func noLimitIsNone() {
        #expect(limit([:]) == nil)
        #expect(limit(["/sys/fs/cgroup/memory.max": "max"]) == nil)
        let unlimited = "9223372036854771712"
        #expect(limit(["/sys/fs/cgroup/memory/memory.limit_in_bytes": unlimited]) == nil)
    }

    @Test func theLeastLimitAboveTheProcessCounts() {
        let files = [
            "/proc/self/cgroup": "0::/a.slice/b.service",
            "/sys/fs/cgroup/a.slice/memory.max": "1000",
            "/sys/fs/cgroup/a.slice/b.service/memory.max": "2000",
        ]
        #expect(limit(files) == 1000)
    }

    @Test func theFirstVersionNamesTheController() {
        let files = [
            "/proc/self/cgroup": "5:cpu,memory:/docker/abc\n4:pids:/other",
            "/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "3000",
            "/sys/fs/cgroup/memory/other/memory.limit_in_bytes": "10",
        ]
        #expect(limit(files) == 3000)
    }
}
