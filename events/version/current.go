package version

// stamp is the version of this build. The linker sets it:
//
//	go build -ldflags "-X github.com/jujube-project/jujube/events/version.stamp=jujube-version/1.25.1/"
//
// The value here is bare. It stays in every program, beside what the linker sets, and Stamps must
// not find it there.
var stamp = "1.25.1"

// Current gives the version that the linker set in this build. In jujud a FORCE-VERSION file beside
// the program overrides it, as in Juju 1.25; see agent.OwnVersion. Current panics if the linker set
// something that is no version.
func Current() Number {
	n, err := Parse(unstamped(stamp))
	if err != nil {
		panic("this build is stamped wrong: " + err.Error())
	}
	return n
}
