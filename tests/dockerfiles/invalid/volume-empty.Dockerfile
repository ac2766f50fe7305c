FROM a
VOLUME ["", " "]
