/.berth /newroot/.berth none move 0 0
/sys /newroot/sys none move 0 0
/dev /newroot/dev none move 0 0
/run /newroot/run none move 0 0
/proc /newroot/proc none move 0 0
