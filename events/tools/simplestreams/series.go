package simplestreams

// seriesVersions are the numbers that stand for series in product ids. Source: Juju 1.25, and the
// releases of Ubuntu and Debian since. Any other series stands there by its own name.
var seriesVersions = map[string]string{
	"precise": "12.04", "quantal": "12.10", "raring": "13.04", "saucy": "13.10", "trusty": "14.04", "utopic": "14.10",
	"vivid": "15.04", "wily": "15.10", "xenial": "16.04", "yakkety": "16.10", "zesty": "17.04", "artful": "17.10",
	"bionic": "18.04", "cosmic": "18.10", "disco": "19.04", "eoan": "19.10", "focal": "20.04", "groovy": "20.10",
	"hirsute": "21.04", "impish": "21.10", "jammy": "22.04", "kinetic": "22.10", "lunar": "23.04", "mantic": "23.10",
	"noble": "24.04", "oracular": "24.10", "plucky": "25.04", "questing": "25.10",
	"buster": "10", "bullseye": "11", "bookworm": "12", "trixie": "13", "forky": "14",
	"win2012": "win2012", "win2012r2": "win2012r2", "win2012hv": "win2012hv", "win2012hvr2": "win2012hvr2",
	"win7": "win7", "win8": "win8", "win81": "win81", "win10": "win10", "centos7": "centos7", "arch": "arch",
	"genericlinux": "genericlinux",
}

func seriesVersion(series string) string {
	if v, ok := seriesVersions[series]; ok {
		return v
	}
	return series
}

// KnownSeries says whether the series has a number in product ids.
func KnownSeries(series string) bool { return seriesVersions[series] != "" }
