"""rebuild: a server's guest is made anew where it is, of the same image or another one."""
