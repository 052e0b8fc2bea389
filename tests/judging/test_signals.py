"""Which way a number should go, by its name."""

import pytest

from stability.judging.signals import direction, training_loss
from stability.records import Direction, Step

LOSSES = """
    loss Loss total total_loss train_loss train_loss_step train_loss_epoch loss_epoch train/Loss eval_loss val/loss
    mel mel_loss loss_mel nll nll_loss ce loss_ce cross_entropy CrossEntropyLoss softmax_cross_entropy
    binary_cross_entropy mse mae rmse l1 huber perplexity ppl ctc wer cer err error top1_err validation_error
    dur duration_loss recon loss_cls loss_rpn_bbox mlm_loss f0_loss stft learning_loss time_loss step_loss
    scale_loss norm_loss score_loss map_loss dice_loss iou_loss top_loss weight_decay_loss vq_loss commit
    bits_per_byte bpd loss_per_token aux_loss z_loss FID eer lossy
"""
METRICS = """
    acc accuracy train_acc val_accuracy valAcc val_acc_epoch top1 top5_acc top_1_accuracy bleu val/bleu BLEU sacrebleu
    rougeL rouge1 f1 f1_score auc AUROC roc_auc mAP map50 mAP@0.5 mIoU IoU miou psnr SSIM reward mean_reward
    ep_rew_mean rewards/chosen episode_return return score win_rate success_rate hit_rate precision recall@10 mrr ndcg
    exact_match dice chrf pesq stoi si_sdr snr mos pearson spearman matthews_correlation CIDEr elo
"""
NEITHER = """
    g_loss d_loss loss_g loss_d G_loss D_loss lossG lossD errD errG loss_gen loss_disc gen disc gen_loss disc_loss
    loss/g/total loss/d/total loss_adv adv_loss loss_GAN generator_loss discriminator_loss critic_loss actor_loss
    policy_loss value_loss pg_loss vf_loss qf1_loss q_loss loss_pi td_loss td_error entropy entropy_loss approx_kl
    kl kl_loss loss_kl KLD kl_div loss_real fake_loss gp gradient_penalty advantage wasserstein_distance
    lr lr_step lr-Adam lr/group0 learning_rate train/learning_rate grad_norm gradnorm gnorm global_norm weight_norm
    loss_scale grad_scale scale time epoch_time step_time time_per_step elapsed eta epoch step global_step iteration
    num_tokens tokens_per_second samples_per_sec train_steps_per_second throughput gpu_mem memory wps ups wpb bsz
    batch_size momentum weight_decay kl_weight loss_weight temperature fps mfu train_runtime num_updates
"""


@pytest.mark.parametrize("name", LOSSES.split())
def test_losses_and_errors_should_fall(name):
    assert direction(name, {}) is Direction.DOWN


@pytest.mark.parametrize("name", METRICS.split())
def test_metrics_should_rise(name):
    assert direction(name, {}) is Direction.UP


@pytest.mark.parametrize("name", NEITHER.split())
def test_games_annealed_terms_and_settings_have_no_direction(name):
    assert direction(name, {}) is Direction.NONE


@pytest.mark.parametrize("name", ["", "0", "1_2", "損失", "step", "per", "per_step"])
def test_any_name_has_an_answer(name):
    assert direction(name, {}) in Direction


def test_what_is_declared_wins_over_the_name():
    assert direction("bleu", {"bleu": Direction.DOWN}) is Direction.DOWN
    assert direction("gen", {"gen": "down"}) is Direction.DOWN
    assert direction("mel", {"gen": Direction.NONE}) is Direction.DOWN


def test_the_training_loss_is_the_sum_of_what_should_fall_or_of_all_where_nothing_should():
    assert training_loss(Step(0, {"mel": 1.0, "dur": 2.0, "kl": 4.0, "acc": 8.0}), {}) == 3.0
    assert training_loss(Step(0, {"gen": 1.0, "disc": 2.0}), {}) == 3.0
    assert training_loss(Step(0, {"mel": 1.0, "kl": 4.0}), {"kl": Direction.DOWN}) == 5.0
