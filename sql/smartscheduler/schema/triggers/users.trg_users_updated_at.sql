create trigger trg_users_updated_at before update on public.users for each row execute function public.update_updated_at_column();

comment on trigger trg_users_updated_at on public.users is 'Keeps updated_at.';
