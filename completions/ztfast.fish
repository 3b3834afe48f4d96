# fish completion of ztfast: the script that the installed version has for it
_ZTFAST_COMPLETE=fish_source ztfast | source
