package streams

import (
	"net/url"
	"time"
)

// CheckRedirect judges the next request of a chain.
var CheckRedirect = client.CheckRedirect

// OpenStalling is Open with a shorter patience.
func OpenStalling(base string, stall time.Duration) (Source, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	return newWeb(u, stall, Trust{}), nil
}
