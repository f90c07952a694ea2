// Package settings is the table of an environment's settings: their keys, their defaults,
// what help says of them, and what value each may have. It also reads them.
//
// A setting that nobody changed has its default, so the functions here take the values that
// were set (the fold keeps them as a map) and answer with the value in force. A value is
// checked when it is set; reading one therefore never fails.
package settings
