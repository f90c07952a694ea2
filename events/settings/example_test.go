package settings_test

import (
	"fmt"

	"github.com/jujube-project/jujube/events/settings"
)

func Example() {
	set := map[string]string{"upgrade-health-window": "90s", "tools-unsigned": "/srv/tools, http://tools.internal"}

	fmt.Println(settings.Duration(set, "upgrade-health-window")) // it was set
	fmt.Println(settings.Duration(set, "upgrade-order-timeout")) // it has its default
	fmt.Println(settings.Words(settings.Value(set, "tools-unsigned")))

	inFlight, _ := settings.Of("upgrade-max-in-flight")
	fmt.Println(inFlight.Check("5000"))
	// Output:
	// 1m30s
	// 1h0m0s
	// [/srv/tools http://tools.internal]
	// "5000" is not a number from 1 to 1000
}
