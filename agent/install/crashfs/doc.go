// Package crashfs is a file system in memory that knows what a power cut at this moment could leave
// of it. It counts the calls that are made on it, can make each of them fail, and gives every state
// that the disk may be in after a power cut. Tests run package install on it.
//
// Two words: a call is one use of host.Disk or host.File. A state is what lies on the disk when the
// power is back: a file system of its own, on which the next start goes on.
//
// It has no hard links, no renames from one directory to another, and no writes into the middle of
// a file, because package install does none of these. It panics when the last two are asked for.
package crashfs
