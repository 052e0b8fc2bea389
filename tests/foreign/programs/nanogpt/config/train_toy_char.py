# a very small character model, for a laptop
out_dir = "out-toy-char"
eval_interval = 100
eval_iters = 10
always_save_checkpoint = False
max_iters = 300
warmup_iters = 20
lr_decay_iters = 300  # make equal to max_iters usually
batch_size = 16
block_size = 32
n_layer = 2
n_head = 4
n_embd = 48
learning_rate = 3e-3
min_lr = 3e-4
