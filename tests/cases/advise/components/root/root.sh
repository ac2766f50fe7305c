# a program
echo root
