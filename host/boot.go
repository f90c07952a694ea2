package host

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// UnknownBoot is the id of the boot where the kernel does not say one.
const UnknownBoot = "unknown"

// Boot says when this is in a way that no change of the wall clock can move: the id of this
// boot of the kernel (or [UnknownBoot]), and the time since the boot. The
// time includes suspends (CLOCK_BOOTTIME), so it can be compared only within one boot.
func Boot() (id string, since time.Duration) {
	id = UnknownBoot
	if b, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		id = strings.TrimSpace(string(b))
	}
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return id, 0
	}
	return id, time.Duration(ts.Nano())
}
