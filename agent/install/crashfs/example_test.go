package crashfs_test

import (
	"fmt"

	"github.com/jujube-project/jujube/agent/install/crashfs"
)

// A new name without a sync of its directory can be gone after a power cut.
func ExampleFS_States() {
	disk := crashfs.New(crashfs.Ext4)
	disk.SyncAll()
	if err := disk.Mkdir("/tools"); err != nil {
		panic(err)
	}
	show := func() {
		for after := range disk.States() {
			names, err := after.ReadDir("/")
			fmt.Println(names, err)
		}
	}
	show()
	if err := disk.SyncDir("/"); err != nil {
		panic(err)
	}
	fmt.Println("synced:")
	show()
	// Output:
	// [] <nil>
	// [tools] <nil>
	// synced:
	// [tools] <nil>
}
