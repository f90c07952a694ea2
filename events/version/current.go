package version

// stamp is the version of this build. The linker sets it:
//
//	go build -ldflags "-X github.com/jujube-project/jujube/events/version.stamp=1.25.1"
var stamp = "1.25.1"

// Current returns the version that the linker stamped on this build. A FORCE-VERSION
// file beside jujud overrides it there, as in Juju 1.25; see agent.OwnVersion.
// It panics on a build stamped with something that is no version.
func Current() Number {
	n, err := Parse(stamp)
	if err != nil {
		panic("this build is stamped wrong: " + err.Error())
	}
	return n
}
