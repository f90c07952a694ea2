package install

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Boot is when this is: the name of this boot of the kernel, and the time since it began,
// suspends included (CLOCK_BOOTTIME). No wall clock moves either.
func Boot() (id string, since time.Duration) {
	id = "unknown"
	if b, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		id = strings.TrimSpace(string(b))
	}
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return id, 0
	}
	return id, time.Duration(ts.Nano())
}
