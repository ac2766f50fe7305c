FROM --plattform=x a
COPY --form=x a b
RUN --mnt=x true
ENV --x a=b
