package install

// HostDisk is the real disk, for tests that watch it.
var HostDisk Disk = hostDisk{}
