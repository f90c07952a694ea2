// Package host is what the operating system gives to every part of Jujube: files that
// survive a power cut, secrets that are only their owner's, locks, the name of this boot,
// the start of a process, the platform, and the two ways in which loops wait.
//
// It is a leaf: it imports no package of this module, and beside the standard library only
// golang.org/x/sys/unix. The launcher, which is never updated, links it, so it stays small.
//
// Three words. A write is durable when it survives a loss of power that comes after the
// call returned. A back-off is a row of growing pauses between tries. A poke wakes a loop,
// and many pokes before it looks are one.
//
//	unlock, err := host.TryLock(filepath.Join(dir, "lock"))
//	if err != nil {
//		return err // errors.Is(err, host.ErrLocked): another process has it
//	}
//	defer unlock()
//	err = host.WriteFile(filepath.Join(dir, "state"), data)
//
// After a crash in the middle of [WriteFile] the file has its old content or its new
// content. A file FILE.new may be left beside it. The next WriteFile removes it, unless two
// wrote into the same directory when the power failed; see [WriteFile].
package host
