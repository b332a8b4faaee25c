package report

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// Machine describes this machine: processor, number of processors, memory.
func Machine() string {
	model := field("/proc/cpuinfo", "model name")
	if model == "" {
		model = runtime.GOARCH
	}
	text := fmt.Sprintf("%d processors of %s", runtime.NumCPU(), model)
	total, _, _ := strings.Cut(field("/proc/meminfo", "MemTotal"), " ")
	if kib, err := strconv.ParseInt(total, 10, 64); err == nil {
		text += fmt.Sprintf(", %d GiB", (kib+(1<<19))>>20)
	}
	return text
}

// field returns the value of the first line "name: value" of a file, "" where
// there is none.
func field(path, name string) string {
	text, err := os.ReadFile(path) //nolint:gosec // one of the kernel's
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		key, value, found := strings.Cut(line, ":")
		if found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// Load is the load average of the last minute; 0 where the system tells none.
func Load() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), " ")
	load, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return 0
	}
	return load
}

// Clock is what the machine's processors did since it started, in ticks: see
// proc(5), /proc/stat.
type Clock struct{ used, stolen, total float64 }

// Tick reads the clock; all zeros where the system tells none.
func Tick() (c Clock) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return c
	}
	line, _, _ := strings.Cut(string(text), "\n")
	// user nice system idle iowait irq softirq steal; guests are in user
	for i, word := range strings.Fields(line)[1:] {
		ticks, err := strconv.ParseFloat(word, 64)
		if err != nil || i > 7 {
			break
		}
		c.total += ticks
		switch i {
		case 3, 4:
		case 7:
			c.stolen += ticks
		default:
			c.used += ticks
		}
	}
	return c
}

// Since returns the shares of the processors, 0 to 1, that were in use here, and
// that other machines of the same host took, since an earlier time.
func (c Clock) Since(earlier Clock) (used, stolen float64) {
	total := c.total - earlier.total
	if total <= 0 {
		return 0, 0
	}
	return (c.used - earlier.used) / total, (c.stolen - earlier.stolen) / total
}

// Memory returns the most memory, in bytes, that a process had resident so far:
// VmHWM of proc(5). It is 0 once the process has ended.
func Memory(pid int) int64 { return status(pid, "VmHWM") }

func status(pid int, name string) int64 {
	text, _, _ := strings.Cut(field(fmt.Sprintf("/proc/%d/status", pid), name), " ")
	kib, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return kib << 10
}

// Processor returns how many seconds of processor time a process has used.
func Processor(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name, in brackets, may have anything in it.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, err1 := strconv.ParseFloat(fields[11], 64)
	system, err2 := strconv.ParseFloat(fields[12], 64)
	if err1 != nil || err2 != nil {
		return 0
	}
	const ticks = 100 // USER_HZ, the same on every Linux that Go runs on
	return (user + system) / ticks
}
